//! Connectors, transactions, presigning and the cost of a dispute; sans-IO.
