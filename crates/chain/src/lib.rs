//! Bitcoin: an embedded regtest on Bitcoin Core's consensus code, or a Bitcoin Core node.
