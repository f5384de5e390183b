//! What a mapping does, seen from its stream, its function and its facts.
