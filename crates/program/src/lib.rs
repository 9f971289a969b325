//! Input languages and their reference semantics: boolean circuits.
