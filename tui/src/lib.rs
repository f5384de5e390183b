//! The live terminal view: nothing of it exists yet, and no command of the binary pretends that it does.
//!
//! Its place in the workspace is fixed now because its boundary matters: it owns a `sim` session, advances it by an
//! event budget for each frame, and reads world and observers directly. It knows neither scenarios nor files.
