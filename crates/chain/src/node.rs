//! A Bitcoin Core node, spoken to over JSON-RPC.

mod http;
mod rpc;

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{
    Amount, Block, BlockHash, Denomination, FeeRate, OutPoint, Script, ScriptBuf, Transaction,
    TxOut, Txid,
};
use serde_json::{Value, json};

pub use self::rpc::Credentials;
use self::rpc::{CallError, Rpc, invalid};
use crate::interface::nobody;
use crate::ledger::{Interest, Ledger};
use crate::{Broadcast, ChainError, ChainView, MempoolEntry, Refusal, Regtest, Spend, Tip, Utxo};

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

/// The farthest that a node estimates, in blocks.
// Bitcoin Core, src/policy/fees/block_policy_estimator.h: LONG_BLOCK_PERIODS, LONG_SCALE
const MAX_ESTIMATE_BLOCKS: u32 = 1_008;

/// The longest that one call waits for a block: shorter than what a node may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Between two questions for the best block, where a node cannot be told to wait for it.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Times to read the chain again when it changes while it is read.
const SYNC_ATTEMPTS: usize = 10;

/// A Bitcoin Core node under its default policy: one of our own on a fresh regtest, or one that is already there.
///
/// Lookups read the blocks from a start height on, once, so that the node needs no index. All transactions of these
/// blocks are kept, unless [`Node::watch`] says which are of interest.
#[derive(Debug)]
pub struct Node {
    rpc: Rpc,
    network: String,
    ledger: RefCell<Ledger>,
    /// Blocks made by [`Regtest::reorg`]; makes the coinbases of competing blocks differ.
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
    pub fn read_blocks_from(self, height: u32) -> Self {
        self.ledger.borrow_mut().restart_at(height);
        self
    }

    /// Keeps of the blocks only what is of interest, so that memory is bounded by that: headers, and the transactions
    /// that
    ///
    /// - have a txid of interest, or spend an outpoint of interest;
    /// - spend an output of one of those;
    /// - pay to a script of interest, or spend an output that does.
    ///
    /// What spends a transaction of the second and third kind is not kept for that reason alone: else all that ever
    /// descends from a payout would be. Of everything else in blocks, [`ChainView::confirmation_height`],
    /// [`ChainView::transaction`] and [`ChainView::spender`] say nothing; [`ChainView::utxo`], [`ChainView::block`],
    /// [`ChainView::coinbase`] and the mempool are asked of the node, and have everything.
    ///
    /// Can be called again to add more. Blocks that were read are then read again, unless all of it was known.
    pub fn watch(&self, interest: Interest) {
        self.ledger.borrow_mut().watch(interest);
    }

    /// Counts the confirmed transactions that are kept in memory.
    pub fn transactions_kept(&self) -> usize {
        self.ledger.borrow().kept()
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
        let height = height(&info["blocks"]).ok_or_else(|| invalid(METHOD, &info))?;
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

    /// Returns Core's name of the network: `main`, `test`, `testnet4`, `signet` or `regtest`.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// Waits until the best block is another than `known`, or the time is over. It does not say which.
    ///
    /// Nodes before Core 30, and those that do not allow the call, are asked each second.
    ///
    /// # Errors
    /// [`ChainError`] when a node does not answer.
    // Bitcoin Core, src/rpc/blockchain.cpp: waitfornewblock
    pub fn wait_for_block(&self, known: BlockHash, timeout: Duration) -> Result<(), ChainError> {
        const METHOD: &str = "waitfornewblock";
        let start = Instant::now();
        let mut polling = false;
        while self.best_hash()? == known {
            let left = timeout.saturating_sub(start.elapsed());
            // To the node, 0 would mean to wait without end.
            let wait_ms = left.min(LONGEST_WAIT).as_millis();
            if wait_ms == 0 {
                break;
            }
            let asked = Instant::now();
            if !polling {
                let arguments = [json!(u64::try_from(wait_ms).unwrap_or(1)), json!(known)];
                match self.rpc.try_call(METHOD, &arguments) {
                    Ok(_) => {}
                    Err(CallError::Answer { .. })
                    | Err(CallError::Other(ChainError::NodeRefuses { .. })) => polling = true,
                    Err(other) => return Err(other.into_chain_error(METHOD)),
                }
            }
            // A node that ends answers at once, so that is no reason to ask it again at once.
            if asked.elapsed() < POLL_INTERVAL && self.best_hash()? == known {
                std::thread::sleep(left.min(POLL_INTERVAL));
            }
        }
        Ok(())
    }

    /// Asks about a transaction; `None` if the node has none of that txid.
    fn find(&self, method: &'static str, txid: Txid) -> Result<Option<Value>, ChainError> {
        match self.rpc.try_call(method, &[json!(txid)]) {
            Ok(answer) => Ok(Some(answer)),
            Err(CallError::Answer {
                code: NOT_FOUND, ..
            }) => Ok(None),
            Err(other) => Err(other.into_chain_error(method)),
        }
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

    fn read_block(&self, hash: BlockHash) -> Result<Block, ChainError> {
        const METHOD: &str = "getblock";
        let hex: String = self.rpc.parse(METHOD, &[json!(hash), json!(0)])?;
        deserialize_hex(&hex).map_err(|error| ChainError::Rpc {
            method: METHOD,
            reason: error.to_string(),
        })
    }

    fn height_of(&self, hash: &str) -> Result<u32, ChainError> {
        const METHOD: &str = "getblockheader";
        let header = self.rpc.call(METHOD, &[json!(hash)])?;
        height(&header["height"]).ok_or_else(|| invalid(METHOD, &header))
    }

    fn read_block_at(&self, height: u32) -> Result<Option<Block>, ChainError> {
        match self.hash_at(height)? {
            Some(hash) => self.read_block(hash).map(Some),
            None => Ok(None),
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
                let block = self.read_block(hash)?;
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

/// Reads an amount in BTC.
fn amount(answer: &Value) -> Option<Amount> {
    Amount::from_str_in(&answer.as_f64()?.to_string(), Denomination::Bitcoin).ok()
}

/// Reads a feerate in BTC per 1,000 virtual bytes, rounded up.
fn feerate(answer: &Value) -> Option<FeeRate> {
    let sat_per_kvb = amount(answer)?.to_sat();
    Some(FeeRate::from_sat_per_kwu(sat_per_kvb.div_ceil(4)))
}

/// Reads a height.
fn height(answer: &Value) -> Option<u32> {
    answer
        .as_u64()
        .and_then(|height| u32::try_from(height).ok())
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

impl ChainView for Node {
    fn name(&self) -> &'static str {
        "bitcoind"
    }

    fn tip(&self) -> Result<Tip, ChainError> {
        let hash = self.best_hash()?;
        let height = self.height_of(&hash.to_string())?;
        Ok(Tip { height, hash })
    }

    fn confirmation_height(&self, txid: Txid) -> Result<Option<u32>, ChainError> {
        Ok(self.ledger()?.transaction(txid).map(|(_, height)| height))
    }

    fn coinbase(&self, height: u32) -> Result<Option<Transaction>, ChainError> {
        if let Some(coinbase) = self.ledger()?.coinbase(height) {
            return Ok(Some(coinbase.clone()));
        }
        let block = self.read_block_at(height)?;
        Ok(block.and_then(|block| block.txdata.into_iter().next()))
    }

    fn transaction(&self, txid: Txid) -> Result<Option<Transaction>, ChainError> {
        const METHOD: &str = "getrawtransaction";
        if let Some((transaction, _)) = self.ledger()?.transaction(txid) {
            return Ok(Some(transaction.clone()));
        }
        let Some(answer) = self.find(METHOD, txid)? else {
            return Ok(None);
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
        // A node with an index of spends also tells those of blocks before the ledger's, or not of interest to it.
        let height = match answer[0]["blockhash"].as_str() {
            Some(hash) => Some(self.height_of(hash)?),
            None => None,
        };
        Ok(input_index.map(|input_index| Spend {
            transaction,
            input_index,
            height,
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
            let value = amount(&answer["value"])?;
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
        let height = (self.height_of(&best.to_string())? + 1).checked_sub(confirmations);
        Ok(Some(Utxo {
            output,
            height: Some(height.ok_or_else(|| invalid(METHOD, &answer))?),
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

    fn mempool_entry(&self, txid: Txid) -> Result<Option<MempoolEntry>, ChainError> {
        const METHOD: &str = "getmempoolentry";
        let Some(answer) = self.find(METHOD, txid)? else {
            return Ok(None);
        };
        let vsize_vb = answer["vsize"].as_u64();
        match (vsize_vb, amount(&answer["fees"]["base"])) {
            (Some(vsize_vb), Some(fee)) => Ok(Some(MempoolEntry { vsize_vb, fee })),
            _ => Err(invalid(METHOD, &answer)),
        }
    }

    fn min_feerate(&self) -> Result<FeeRate, ChainError> {
        const METHOD: &str = "getmempoolinfo";
        let answer = self.rpc.call(METHOD, &[])?;
        let least = ["mempoolminfee", "minrelaytxfee"].map(|key| feerate(&answer[key]));
        match least {
            [Some(mempool), Some(relay)] => Ok(mempool.max(relay)),
            _ => Err(invalid(METHOD, &answer)),
        }
    }

    fn estimate_feerate(&self, blocks: u32) -> Result<Option<FeeRate>, ChainError> {
        const METHOD: &str = "estimatesmartfee";
        let blocks = blocks.clamp(1, MAX_ESTIMATE_BLOCKS);
        let answer = self
            .rpc
            .call(METHOD, &[json!(blocks), json!("conservative")])?;
        if answer["feerate"].is_null() {
            return Ok(None);
        }
        feerate(&answer["feerate"])
            .map(Some)
            .ok_or_else(|| invalid(METHOD, &answer))
    }

    fn block(&self, height: u32) -> Result<Option<Block>, ChainError> {
        if let Some(block) = self.ledger()?.block(height) {
            return Ok(Some(block));
        }
        self.read_block_at(height)
    }

    fn check_synced(&self) -> Result<(), ChainError> {
        const METHOD: &str = "getblockchaininfo";
        let info = self.rpc.call(METHOD, &[])?;
        let (Some(blocks), Some(headers), Some(downloading)) = (
            height(&info["blocks"]),
            height(&info["headers"]),
            info["initialblockdownload"].as_bool(),
        ) else {
            return Err(invalid(METHOD, &info));
        };
        // A regtest whose last block is a day old is always in its initial download.
        if blocks < headers || (downloading && self.network != "regtest") {
            return Err(ChainError::Lagging { blocks, headers });
        }
        Ok(())
    }
}

impl Broadcast for Node {
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
}

impl Regtest for Node {
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
}
