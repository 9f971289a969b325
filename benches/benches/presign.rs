//! Presigning a contract about `sha256_preimage.txt`: both parties' shares of every `MuSig2` signature, made and verified.

use bitcoin::hashes::Hash;
use bitcoin::{Amount, FeeRate, OutPoint, TxOut, Txid};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapcourt_benches::{compiled, secret_keys};
use tapcourt_commitment::SecretKey;
use tapcourt_protocol::{
    ChallengerSession, ExpiryPolicy, FundingInput, Graph, InstanceId, Parameters, Party,
    PresignedGraph, RelativeBlocks, SessionSecret, SigningKey, Terms, complete, prover_sign,
};
use tapcourt_script::limits::Profile;
use tapcourt_script::script;
use tapcourt_verifier::Program;

/// A party with one coin, which pays itself.
fn party(key: &SigningKey, id: u8) -> Party {
    let public = key.public_key();
    let own = script! { OP_1 { public.x_only_public_key().0.serialize() } };
    Party {
        key: public,
        inputs: vec![FundingInput {
            outpoint: OutPoint {
                txid: Txid::from_byte_array([id; 32]),
                vout: 0,
            },
            prevout: TxOut {
                value: Amount::from_sat(300_000),
                script_pubkey: own.clone(),
            },
        }],
        change: vec![TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey: own.clone(),
        }],
        payout_script: own,
    }
}

fn parameters() -> Parameters {
    Parameters {
        delta: RelativeBlocks::new(144).expect("not zero"),
        expiry: RelativeBlocks::new(1_008).expect("not zero"),
        expiry_policy: ExpiryPolicy::Refund,
        prover_stake: Amount::from_sat(100_000),
        challenger_stake: Amount::from_sat(100_000),
        bond: Amount::from_sat(50_000),
        profile: Profile::Standard,
        disprove_feerate: FeeRate::from_sat_per_vb(1).expect("far below the maximum"),
    }
}

fn presign(criterion: &mut Criterion) {
    let signing_key = |byte: u8| SigningKey::from_bytes([byte; 32]).expect("a valid scalar");
    let (prover, challenger) = (signing_key(1), signing_key(2));
    let compiled = compiled("sha256_preimage.txt");
    let program = Program::circuit(compiled.clone()).expect("its groups fit");
    let one_time_keys: Vec<_> = secret_keys(&compiled)
        .iter()
        .map(SecretKey::public_key)
        .collect();
    let terms = Terms {
        parameters: parameters(),
        program_digest: program.digest(),
        instance: InstanceId::from_bytes([3; 32]),
        prover: party(&prover, 1),
        challenger: party(&challenger, 2),
        layout: program.layout().clone(),
        one_time_keys: one_time_keys.clone(),
    };
    let leaves = program.leaves(&one_time_keys, terms.challenger.x_only_key());
    let graph = Graph::new(terms, &leaves.all()).expect("the terms are sound");
    let secret = |byte: u8| SessionSecret::from_bytes([byte; 32]);
    let both_sides = || {
        let session = ChallengerSession::new(&graph, &challenger, secret(4)).expect("its key");
        let acceptance = session.acceptance();
        let answer = prover_sign(&graph, &prover, &secret(5), &acceptance).expect("its key");
        let (presigned, partials) = session.sign(&answer).expect("the prover is honest");
        complete(&graph, &acceptance, &answer, &partials).expect("the challenger is honest");
        presigned
    };
    let presigned: PresignedGraph = both_sides();

    let mut group = criterion.benchmark_group("presign");
    group.sample_size(20);
    group.throughput(Throughput::Elements(graph.slots().len() as u64));
    group.bench_function("both sides, signatures", |bencher| {
        bencher.iter(both_sides);
    });
    group.bench_function("verify all, signatures", |bencher| {
        bencher.iter(|| PresignedGraph::new(&graph, presigned.signatures().to_vec()));
    });
    group.finish();
}

criterion_group!(benches, presign);
criterion_main!(benches);
