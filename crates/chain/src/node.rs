//! A Bitcoin Core node, spoken to over JSON-RPC.

mod http;
mod rpc;

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{
    Amount, Block, BlockHash, Denomination, OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid,
};
use serde_json::{Value, json};

pub use self::rpc::Credentials;
use self::rpc::{CallError, Rpc, invalid};
use crate::interface::nobody;
use crate::ledger::Ledger;
use crate::{Chain, ChainError, Refusal, Spend, Tip, Utxo};

/// RPC error: the transaction or block is not acceptable.
// Bitcoin Core, src/rpc/protocol.h: RPC_VERIFY_ERROR, RPC_VERIFY_REJECTED, RPC_VERIFY_ALREADY_IN_UTXO_SET,
// RPC_DESERIALIZATION_ERROR, RPC_INVALID_PARAMETER
const REFUSED: [i32; 5] = [-25, -26, -27, -22, -8];

/// RPC error: no such transaction or output.
// Bitcoin Core, src/rpc/protocol.h: RPC_INVALID_ADDRESS_OR_KEY
const NOT_FOUND: i32 = -5;

/// No limit on the fee rate, as an argument of the submitting calls.
const ANY_FEE_RATE: u32 = 0;

/// No limit on what provably unspendable outputs burn, in BTC: all coins there are.
const ANY_BURN_BTC: u32 = 21_000_000;

/// Times to read the chain again when it changes while it is read.
const SYNC_ATTEMPTS: usize = 10;

/// A Bitcoin Core node under its default policy: one of our own on a fresh regtest, or one that is already there.
///
/// Lookups read the blocks from a start height on, once, so that the node needs no index.
#[derive(Debug)]
pub struct Node {
    rpc: Rpc,
    network: String,
    ledger: RefCell<Ledger>,
    /// Blocks made by [`Chain::reorg`]; makes the coinbases of competing blocks differ.
    blocks_made: u64,
    /// Ends the daemon that we started, and only that, when it is dropped.
    _process: Option<bitcoind::BitcoinD>,
}

impl Node {
    /// Starts a daemon with an empty regtest in a temporary directory, on free loopback ports, without peers and without
    /// a wallet, under default policy. It ends when the value is dropped.
    ///
    /// # Errors
    /// [`ChainError::NodeStart`] if the executable is not a working Bitcoin Core daemon.
    pub fn spawn(executable: &Path) -> Result<Self, ChainError> {
        let failed = |reason: String| ChainError::NodeStart {
            executable: executable.display().to_string(),
            reason,
        };
        // Asking for the version first gives a quick answer where the crate would wait for a cookie file. Even for that
        // the daemon writes into its data directory, which must not be the user's.
        let directory = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let version = Command::new(executable)
            .arg(format!("-datadir={}", directory.path().display()))
            .args(["-nosettings", "-version"])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        let said = String::from_utf8_lossy(&version.stdout);
        if !version.status.success() || !said.contains("Bitcoin Core") {
            let said = said.lines().next().unwrap_or("nothing");
            return Err(failed(format!(
                "it is no bitcoin core daemon: asked for its version it says '{said}', {}",
                version.status
            )));
        }
        let mut conf = bitcoind::Conf::default();
        conf.args = vec![
            "-regtest",
            "-acceptnonstdtxn=0",
            "-dnsseed=0",
            "-fixedseeds=0",
        ];
        conf.wallet = None;
        let process = bitcoind::BitcoinD::with_conf(executable, &conf)
            .map_err(|error| failed(rpc::one_line(&format!("{error:#}"))))?;
        let credentials = Credentials::Cookie(process.params.cookie_file.clone());
        Self::open(&process.rpc_url(), &credentials, Some(process))
    }

    /// Connects to a node that is already there, such as `http://127.0.0.1:8332`. Redirects are not
    /// followed.
    ///
    /// # Errors
    /// [`ChainError::NodeAddress`] and [`ChainError::Login`] if address or credentials cannot be
    /// used, and else what happens there: [`ChainError::NodeUnreachable`],
    /// [`ChainError::NodeRefuses`], [`ChainError::NodeRedirects`], [`ChainError::NodeStarting`] or
    /// [`ChainError::NotANode`]. None of them has the password, or a part of the address that may
    /// be secret.
    pub fn connect(url: &str, credentials: &Credentials) -> Result<Self, ChainError> {
        Self::open(url, credentials, None)
    }

    /// Sets the height from which on blocks are read for lookups. The default is the genesis block on a regtest, and
    /// elsewhere the tip at the time of connecting: set it to before the first transaction of interest.
    #[must_use]
    pub fn read_blocks_from(mut self, height: u32) -> Self {
        self.ledger = RefCell::new(Ledger::starting_at(height));
        self
    }

    fn open(
        url: &str,
        credentials: &Credentials,
        process: Option<bitcoind::BitcoinD>,
    ) -> Result<Self, ChainError> {
        let rpc = Rpc::new(url, credentials)?;
        const METHOD: &str = "getblockchaininfo";
        let info = rpc.call(METHOD, &[])?;
        let network = info["chain"]
            .as_str()
            .ok_or_else(|| invalid(METHOD, &info))?
            .to_owned();
        let height = info["blocks"]
            .as_u64()
            .and_then(|blocks| u32::try_from(blocks).ok());
        let height = height.ok_or_else(|| invalid(METHOD, &info))?;
        let start = if network == "regtest" { 0 } else { height };
        let ledger = RefCell::new(Ledger::starting_at(start));
        Ok(Self {
            rpc,
            network,
            ledger,
            blocks_made: 0,
            _process: process,
        })
    }

    fn best_hash(&self) -> Result<BlockHash, ChainError> {
        self.rpc.parse("getbestblockhash", &[])
    }

    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, ChainError> {
        match self.rpc.try_call("getblockhash", &[json!(height)]) {
            Ok(answer) => rpc::parse("getblockhash", &answer).map(Some),
            // RPC_INVALID_PARAMETER: no block of that height
            Err(CallError::Answer { code: -8, .. }) => Ok(None),
            Err(other) => Err(other.into_chain_error("getblockhash")),
        }
    }

    /// Reads the blocks that are new since the last call, and forgets those that are gone.
    fn ledger(&self) -> Result<RefMut<'_, Ledger>, ChainError> {
        let mut ledger = self.ledger.borrow_mut();
        for _ in 0..SYNC_ATTEMPTS {
            let best = self.best_hash()?;
            while let Some(tip) = ledger.tip() {
                if tip.hash == best {
                    return Ok(ledger);
                }
                if self.hash_at(tip.height)? == Some(tip.hash) {
                    break;
                }
                ledger.disconnect();
            }
            while let Some(hash) = self.hash_at(ledger.next_height())? {
                let hex: String = self.rpc.parse("getblock", &[json!(hash), json!(0)])?;
                let block: Block = deserialize_hex(&hex).map_err(|error| ChainError::Rpc {
                    method: "getblock",
                    reason: error.to_string(),
                })?;
                if ledger
                    .tip()
                    .is_some_and(|tip| tip.hash != block.header.prev_blockhash)
                {
                    break; // the chain changed meanwhile
                }
                ledger.connect(block);
            }
            if ledger.tip().is_none() {
                return Ok(ledger); // the start height is still to come
            }
        }
        let reason = format!("the chain changed {SYNC_ATTEMPTS} times while it was read");
        Err(ChainError::Rpc {
            method: "getblock",
            reason,
        })
    }

    fn require_regtest(&self) -> Result<(), ChainError> {
        if self.network == "regtest" {
            return Ok(());
        }
        Err(ChainError::CannotMine {
            network: self.network.clone(),
        })
    }

    fn generate_block(
        &self,
        script_pubkey: &Script,
        transactions: &[Transaction],
    ) -> Result<(), ChainError> {
        let hex: Vec<String> = transactions.iter().map(serialize_hex).collect();
        match self.rpc.try_call(
            "generateblock",
            &[json!(raw_descriptor(script_pubkey)), json!(hex)],
        ) {
            Ok(_) => Ok(()),
            Err(CallError::Answer { code, message }) if REFUSED.contains(&code) => {
                Err(ChainError::BlockRefused { reason: message })
            }
            Err(other) => Err(other.into_chain_error("generateblock")),
        }
    }
}

fn raw_descriptor(script_pubkey: &Script) -> String {
    format!("raw({})", script_pubkey.to_hex_string())
}

/// Splits what a node says of a transaction, such as `dust, tx with dust output must be 0-fee`.
fn refusal(message: &str) -> Refusal {
    let end = message
        .find(',')
        .into_iter()
        .chain(message.find(" ("))
        .min()
        .unwrap_or(message.len());
    Refusal::Node {
        reason: message[..end].to_owned(),
        details: rpc::one_line(message),
    }
}

impl Chain for Node {
    fn name(&self) -> &'static str {
        "bitcoind"
    }

    fn tip(&self) -> Result<Tip, ChainError> {
        const METHOD: &str = "getblockheader";
        let hash = self.best_hash()?;
        let header = self.rpc.call(METHOD, &[json!(hash)])?;
        let height = header["height"]
            .as_u64()
            .and_then(|height| u32::try_from(height).ok());
        Ok(Tip {
            height: height.ok_or_else(|| invalid(METHOD, &header))?,
            hash,
        })
    }

    fn submit(&mut self, transaction: &Transaction) -> Result<Txid, ChainError> {
        const METHOD: &str = "sendrawtransaction";
        let arguments = [
            json!(serialize_hex(transaction)),
            json!(ANY_FEE_RATE),
            json!(ANY_BURN_BTC),
        ];
        let txid = transaction.compute_txid();
        match self.rpc.try_call(METHOD, &arguments) {
            Ok(_) => Ok(txid),
            Err(CallError::Answer { code, message }) if REFUSED.contains(&code) => {
                // -27 has its own wording; the others begin with the reject reason.
                let reason = if code == -27 {
                    Refusal::AlreadyConfirmed
                } else {
                    refusal(&message)
                };
                Err(ChainError::Refused { txid, reason })
            }
            Err(other) => Err(other.into_chain_error(METHOD)),
        }
    }

    fn test_accept(&self, transaction: &Transaction) -> Result<(), ChainError> {
        const METHOD: &str = "testmempoolaccept";
        let txid = transaction.compute_txid();
        let answer = match self.rpc.try_call(
            METHOD,
            &[json!([serialize_hex(transaction)]), json!(ANY_FEE_RATE)],
        ) {
            Ok(answer) => answer,
            Err(CallError::Answer { code, message }) if REFUSED.contains(&code) => {
                return Err(ChainError::Refused {
                    txid,
                    reason: refusal(&message),
                });
            }
            Err(other) => return Err(other.into_chain_error(METHOD)),
        };
        let verdict = &answer[0];
        let said = ["reject-details", "reject-reason", "package-error"]
            .iter()
            .find_map(|key| verdict[*key].as_str());
        match (verdict["allowed"].as_bool(), said) {
            (Some(true), _) => Ok(()),
            // Submitting it again is no error.
            (_, Some("txn-already-in-mempool")) => Ok(()),
            // This call alone has a word of its own for a missing input.
            (_, Some("missing-inputs")) => Err(ChainError::Refused {
                txid,
                reason: refusal("bad-txns-inputs-missingorspent"),
            }),
            (_, Some(message)) => Err(ChainError::Refused {
                txid,
                reason: refusal(message),
            }),
            _ => Err(invalid(METHOD, &answer)),
        }
    }

    fn submit_package(
        &mut self,
        parent: &Transaction,
        child: &Transaction,
    ) -> Result<(), ChainError> {
        const METHOD: &str = "submitpackage";
        let hex = [serialize_hex(parent), serialize_hex(child)];
        let refused = |transaction: &Transaction, message: &str| ChainError::Refused {
            txid: transaction.compute_txid(),
            reason: refusal(message),
        };
        let answer = match self.rpc.try_call(
            METHOD,
            &[json!(hex), json!(ANY_FEE_RATE), json!(ANY_BURN_BTC)],
        ) {
            Ok(answer) => answer,
            Err(CallError::Answer { code, message }) if REFUSED.contains(&code) => {
                return Err(refused(child, &message));
            }
            Err(other) => return Err(other.into_chain_error(METHOD)),
        };
        let message = answer["package_msg"]
            .as_str()
            .ok_or_else(|| invalid(METHOD, &answer))?;
        if message == "success" {
            return Ok(());
        }
        let said = |transaction: &Transaction| {
            let wtxid = transaction.compute_wtxid().to_string();
            answer["tx-results"][wtxid]["error"].as_str()
        };
        // A child whose parent is refused misses its input, so that is not the cause. "transaction failed" says that
        // the cause is with one of the two.
        let of_child =
            said(child).filter(|said| !said.starts_with("bad-txns-inputs-missingorspent"));
        let of_package = Some(message).filter(|&message| message != "transaction failed");
        Err(match (of_child.or(of_package), said(parent)) {
            (Some(reason), _) => refused(child, reason),
            (None, Some(reason)) => refused(parent, reason),
            (None, None) => refused(child, said(child).unwrap_or(message)),
        })
    }

    fn mine_to(&mut self, blocks: u32, script_pubkey: &Script) -> Result<Tip, ChainError> {
        self.require_regtest()?;
        self.rpc.call(
            "generatetodescriptor",
            &[json!(blocks), json!(raw_descriptor(script_pubkey))],
        )?;
        self.tip()
    }

    fn mine_block(&mut self, transactions: &[Transaction]) -> Result<Tip, ChainError> {
        self.require_regtest()?;
        self.generate_block(&nobody(), transactions)?;
        self.tip()
    }

    fn reorg(&mut self, depth: u32) -> Result<Tip, ChainError> {
        self.require_regtest()?;
        let height = self.tip()?.height;
        if depth > height {
            return Err(ChainError::ReorgTooDeep { depth, height });
        }
        if depth > 0 {
            let first: Value = self
                .rpc
                .call("getblockhash", &[json!(height - depth + 1)])?;
            self.rpc.call("invalidateblock", &[first])?;
        }
        for _ in 0..=depth {
            self.blocks_made += 1;
            // A script of its own, so that no block equals one that was just declared invalid.
            let tag = [nobody().as_bytes(), &[8], &self.blocks_made.to_le_bytes()].concat();
            self.generate_block(&ScriptBuf::from_bytes(tag), &[])?;
        }
        self.tip()
    }

    fn confirmation_height(&self, txid: Txid) -> Result<Option<u32>, ChainError> {
        Ok(self.ledger()?.transaction(txid).map(|(_, height)| height))
    }

    fn coinbase(&self, height: u32) -> Result<Option<Transaction>, ChainError> {
        Ok(self.ledger()?.coinbase(height).cloned())
    }

    fn transaction(&self, txid: Txid) -> Result<Option<Transaction>, ChainError> {
        const METHOD: &str = "getrawtransaction";
        if let Some((transaction, _)) = self.ledger()?.transaction(txid) {
            return Ok(Some(transaction.clone()));
        }
        let answer = match self.rpc.try_call(METHOD, &[json!(txid)]) {
            Ok(answer) => answer,
            Err(CallError::Answer {
                code: NOT_FOUND, ..
            }) => return Ok(None),
            Err(other) => return Err(other.into_chain_error(METHOD)),
        };
        let transaction = answer.as_str().and_then(|hex| deserialize_hex(hex).ok());
        transaction
            .map(Some)
            .ok_or_else(|| invalid(METHOD, &answer))
    }

    fn spender(&self, outpoint: OutPoint) -> Result<Option<Spend>, ChainError> {
        const METHOD: &str = "gettxspendingprevout";
        if let Some(spend) = self.ledger()?.spender(outpoint) {
            return Ok(Some(spend));
        }
        let query = json!([{ "txid": outpoint.txid, "vout": outpoint.vout }]);
        let answer = self.rpc.call(METHOD, &[query])?;
        let Some(txid) = answer[0]["spendingtxid"].as_str() else {
            return Ok(None);
        };
        let txid: Txid = txid.parse().map_err(|_| invalid(METHOD, &answer))?;
        let Some(transaction) = self.transaction(txid)? else {
            return Ok(None);
        };
        let input_index = transaction
            .input
            .iter()
            .position(|input| input.previous_output == outpoint);
        Ok(input_index.map(|input_index| Spend {
            transaction,
            input_index,
            height: None,
        }))
    }

    fn utxo(&self, outpoint: OutPoint) -> Result<Option<Utxo>, ChainError> {
        const METHOD: &str = "gettxout";
        let answer = self.rpc.call(
            METHOD,
            &[json!(outpoint.txid), json!(outpoint.vout), json!(true)],
        )?;
        if answer.is_null() {
            return Ok(None);
        }
        let parsed = || {
            let value = Amount::from_str_in(
                &answer["value"].as_f64()?.to_string(),
                Denomination::Bitcoin,
            )
            .ok()?;
            let script_pubkey =
                ScriptBuf::from_hex(answer["scriptPubKey"]["hex"].as_str()?).ok()?;
            let confirmations = u32::try_from(answer["confirmations"].as_u64()?).ok()?;
            let best: BlockHash = answer["bestblock"].as_str()?.parse().ok()?;
            Some((
                TxOut {
                    value,
                    script_pubkey,
                },
                confirmations,
                best,
                answer["coinbase"].as_bool()?,
            ))
        };
        let (output, confirmations, best, coinbase) =
            parsed().ok_or_else(|| invalid(METHOD, &answer))?;
        if confirmations == 0 {
            return Ok(Some(Utxo {
                output,
                height: None,
                coinbase,
            }));
        }
        const HEADER: &str = "getblockheader";
        let header = self.rpc.call(HEADER, &[json!(best)])?;
        let height = header["height"]
            .as_u64()
            .and_then(|height| u32::try_from(height).ok());
        let height = height.and_then(|height| (height + 1).checked_sub(confirmations));
        Ok(Some(Utxo {
            output,
            height: Some(height.ok_or_else(|| invalid(HEADER, &header))?),
            coinbase,
        }))
    }

    fn mempool(&self) -> Result<Vec<Txid>, ChainError> {
        const METHOD: &str = "getrawmempool";
        let answer = self.rpc.call(METHOD, &[json!(true)])?;
        let entries = answer.as_object().ok_or_else(|| invalid(METHOD, &answer))?;
        // Parents have fewer ancestors than their children, so this order has them first.
        let mut counted = HashMap::new();
        for (txid, entry) in entries {
            let txid: Txid = txid.parse().map_err(|_| invalid(METHOD, &answer))?;
            counted.insert(txid, entry["ancestorcount"].as_u64().unwrap_or_default());
        }
        let mut txids: Vec<Txid> = counted.keys().copied().collect();
        txids.sort_by_key(|txid| (counted[txid], *txid));
        Ok(txids)
    }
}
