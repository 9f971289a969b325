//! Winternitz and Lamport bit commitments: keys, openings, and the scripts that check them.
