//! From scenario text to a blueprint of the model.
