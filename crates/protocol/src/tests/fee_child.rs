use bitcoin::{Amount, FeeRate, Witness};

use super::toy::{Toy, party, signing_key};
use crate::transactions::TransactionKind as Kind;
use crate::transactions::fee_child::{
    ANCHOR_VIN, FeeChild, FeeChildError, KEY_PATH_WITNESS_WU, WalletCoin,
};

#[test]
fn the_child_pays_for_the_package() {
    let toy = &Toy::shapes()[1];
    let graph = toy.graph();
    let signed = toy.presign(&graph);
    let wallet = party(&signing_key(6), &[20_000, 30_000], 1_000);
    let coins: Vec<WalletCoin> = wallet
        .inputs
        .iter()
        .map(|coin| WalletCoin {
            coin: coin.clone(),
            witness_wu: KEY_PATH_WITNESS_WU,
        })
        .collect();
    let feerate = FeeRate::from_sat_per_vb(5).unwrap();
    for presigned in graph.presigned() {
        let parent = signed
            .finalise_with(
                &graph,
                presigned.kind,
                &toy.openings(1),
                Some(&toy.challenger),
            )
            .unwrap();
        let child = FeeChild::new(&parent, &coins, &wallet.payout_script, feerate).unwrap();
        let mut finished = child.transaction.clone();
        assert_eq!(
            finished.input[ANCHOR_VIN].previous_output.txid,
            parent.compute_txid()
        );
        for input in finished.input.iter_mut().skip(1) {
            input.witness = Witness::from_slice(&[[0; 64]]);
        }
        let paid: Amount = child.prevouts.iter().map(|prevout| prevout.value).sum();
        assert_eq!(paid - finished.output[0].value, child.fee);
        let package_vb = parent.vsize() + finished.vsize();
        assert_eq!(
            child.fee.to_sat(),
            5 * package_vb as u64,
            "{}",
            presigned.kind
        );
        assert_eq!(finished.version.0, 3);
    }
    let parent = &graph.transaction(Kind::Payout).unwrap().transaction;
    let poor = FeeChild::new(
        parent,
        &coins[..1],
        &wallet.payout_script,
        FeeRate::from_sat_per_vb(500).unwrap(),
    );
    assert!(matches!(poor, Err(FeeChildError::Insufficient { .. })));
    let many = vec![coins[0].clone(); 20];
    let large = FeeChild::new(parent, &many, &wallet.payout_script, feerate);
    assert!(matches!(
        large,
        Err(FeeChildError::TooLarge { limit: 1_000, .. })
    ));
    let contract = &graph.contract().transaction;
    assert_eq!(
        FeeChild::new(contract, &coins, &wallet.payout_script, feerate),
        Err(FeeChildError::NoAnchor)
    );
}
