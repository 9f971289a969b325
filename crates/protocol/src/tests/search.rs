//! Choices and agreements: what may be published, what is refused, and what is recovered.

use std::collections::BTreeMap;

use bitcoin::{Transaction, Witness};
use tapcourt_commitment::{Opening, Parameters as Shape};
use tapcourt_script::interpreter::{Rules, verify_script_path};

use super::toy::Toy;
use crate::presign::FinaliseError;
use crate::transactions::TransactionKind as Kind;
use crate::{Graph, PresignedGraph, Publication, RecoverError, Stage, recover_published};

/// A search with everything that its transactions need.
struct Search {
    toy: Toy,
    graph: Graph,
    signed: PresignedGraph,
}

impl Search {
    fn all() -> Vec<Self> {
        let with_graph = |toy: Toy| {
            let graph = toy.graph();
            let signed = toy.presign(&graph);
            Self { toy, graph, signed }
        };
        Toy::searches().into_iter().map(with_graph).collect()
    }

    /// Each publication with its transaction, its input and its place in the script.
    fn publications(&self) -> Vec<(Kind, usize, usize, Publication)> {
        let mut all = Vec::new();
        for presigned in self.graph.presigned() {
            for (vin, input) in presigned.inputs.iter().enumerate() {
                let publications = input.publications.iter().enumerate();
                all.extend(
                    publications
                        .map(|(place, publication)| (presigned.kind, vin, place, *publication)),
                );
            }
        }
        all
    }

    fn finalise(
        &self,
        kind: Kind,
        openings: &BTreeMap<usize, Opening>,
    ) -> Result<Transaction, FinaliseError> {
        self.signed.finalise_with(&self.graph, kind, openings, None)
    }

    fn is_valid(&self, kind: Kind, vin: usize, transaction: &Transaction) -> bool {
        let prevouts = self.graph.transaction(kind).unwrap().prevouts();
        verify_script_path(transaction, vin, &prevouts, Rules::Consensus)
            .is_ok_and(|execution| execution.succeeded())
    }

    /// Replaces the items of one publication; those of a script's later publications lie below.
    fn with_items(
        &self,
        transaction: &Transaction,
        (kind, vin, place): (Kind, usize, usize),
        items: &[Vec<u8>],
    ) -> Transaction {
        let input = &self.graph.transaction(kind).unwrap().inputs[vin];
        let sizes = self.graph.sizes();
        let count = |publication: &Publication| sizes.publication(publication).items;
        let below: usize = input.publications[place + 1..].iter().map(count).sum();
        let (start, replaced) = (1 + below, count(&input.publications[place]));
        assert_eq!(items.len(), replaced);
        let mut witness = transaction.input[vin].witness.to_vec();
        witness.splice(start..start + replaced, items.iter().cloned());
        let mut changed = transaction.clone();
        changed.input[vin].witness = Witness::from_slice(&witness);
        changed
    }

    /// How many values the digit of a group has.
    fn values(&self, group: usize) -> u32 {
        1 << self.toy.secrets[group].parameters().message_bits()
    }
}

#[test]
fn every_option_can_be_chosen_and_nothing_else() {
    let (mut chosen, mut refused) = (0, 0);
    for search in Search::all() {
        let openings = search.toy.openings(1);
        for (kind, vin, _, publication) in search.publications() {
            let Publication::Choice { group, options } = publication else {
                continue;
            };
            for value in 0..search.values(group) {
                let mut openings = openings.clone();
                openings.insert(group, search.toy.sign(group, value));
                let select = search.finalise(kind, &openings).unwrap();
                let recovered = recover_published(&search.graph, &select);
                let is_option = value < options;
                assert_eq!(
                    search.is_valid(kind, vin, &select),
                    is_option,
                    "{kind}: {value}"
                );
                if is_option {
                    let recovered = recovered.unwrap();
                    let one = recovered.iter().find(|one| one.group == group).unwrap();
                    assert_eq!(one.opening.message_digits(), [value as u8]);
                    chosen += 1;
                } else {
                    assert!(matches!(
                        recovered,
                        Err(RecoverError::Opening { group: found, .. }) if found == group
                    ));
                    refused += 1;
                }
            }
        }
    }
    println!("covered: {chosen} options chosen, {refused} values beyond");
}

#[test]
fn a_choice_repeated_as_another_is_not_finalised() {
    for search in Search::all() {
        let openings = search.toy.openings(2);
        for (kind, _, _, publication) in search.publications() {
            let Publication::Agreement { theirs, own } = publication else {
                continue;
            };
            let value = u32::from(openings[&theirs].message_digits()[0]);
            for other in (0..search.values(own)).filter(|other| *other != value) {
                let mut openings = openings.clone();
                openings.insert(own, search.toy.sign(own, other));
                assert_eq!(
                    search.finalise(kind, &openings),
                    Err(FinaliseError::Disagreement { kind, group: own })
                );
            }
            for missing in [theirs, own] {
                let mut openings = openings.clone();
                openings.remove(&missing);
                assert_eq!(
                    search.finalise(kind, &openings),
                    Err(FinaliseError::NoOpening {
                        kind,
                        group: missing
                    })
                );
            }
        }
    }
}

#[test]
fn an_opening_under_a_key_of_another_shape_is_not_finalised() {
    for search in Search::all() {
        let openings = search.toy.openings(2);
        for (kind, _, _, publication) in search.publications() {
            let group = publication.group();
            let shape = search.toy.secrets[group].parameters();
            let other = (0..search.toy.secrets.len())
                .find(|&other| search.toy.secrets[other].parameters() != shape)
                .unwrap();
            let mut wrong = openings.clone();
            wrong.insert(group, openings[&other].clone());
            assert_eq!(
                search.finalise(kind, &wrong),
                Err(FinaliseError::OtherShape { kind, group })
            );
            if let Publication::Agreement { theirs, .. } = publication {
                let mut wrong = openings.clone();
                wrong.insert(theirs, openings[&other].clone());
                let group = theirs;
                assert_eq!(
                    search.finalise(kind, &wrong),
                    Err(FinaliseError::OtherShape { kind, group })
                );
            }
        }
    }
}

/// The prover can sign any value under its own key, and knows the challenger's opening of one.
#[test]
fn the_prover_cannot_repeat_another_value_than_was_chosen() {
    let mut refused = 0;
    for search in Search::all() {
        let openings = search.toy.openings(3);
        for (kind, vin, place, publication) in search.publications() {
            let Publication::Agreement { theirs, own } = publication else {
                continue;
            };
            let honest = search.finalise(kind, &openings).unwrap();
            assert!(search.is_valid(kind, vin, &honest));
            let chosen = &openings[&theirs];
            let value = u32::from(chosen.message_digits()[0]);
            let truth = openings[&own].witness_for_agreement(chosen);
            for other in (0..search.values(own)).filter(|other| *other != value) {
                let lie = search.toy.sign(own, other);
                let both = lie.witness_for_agreement(&search.toy.sign(theirs, other));
                // Of the lie's witness what is not the challenger's: flags, and elements of the own key.
                let elements = elements(&lie);
                let differing: Vec<usize> = (0..truth.len())
                    .filter(|&item| {
                        let is_own = both[item].len() < 20 || elements.contains(&both[item]);
                        is_own && truth[item] != both[item]
                    })
                    .collect();
                assert!(!differing.is_empty());
                for mask in 1..1_u32 << differing.len() {
                    let mut items = truth.clone();
                    for (bit, &item) in differing.iter().enumerate() {
                        if mask >> bit & 1 == 1 {
                            items[item].clone_from(&both[item]);
                        }
                    }
                    let cheating = search.with_items(&honest, (kind, vin, place), &items);
                    assert!(
                        !search.is_valid(kind, vin, &cheating),
                        "{kind}: {value} repeated as {other}"
                    );
                    assert!(recover_published(&search.graph, &cheating).is_err());
                    refused += 1;
                }
            }
        }
    }
    println!("covered: {refused} false repetitions");
}

/// The elements of an opening, as they are in its witness for publishing.
fn elements(opening: &Opening) -> Vec<Vec<u8>> {
    let items = opening.witness_for_publish();
    items.into_iter().filter(|item| item.len() == 20).collect()
}

#[test]
fn mutated_choices_and_agreements_are_neither_valid_nor_recovered() {
    let mut refused = 0;
    for search in Search::all() {
        let openings = search.toy.openings(4);
        for (kind, vin, place, publication) in search.publications() {
            let items = match publication {
                Publication::Value(_) => continue,
                Publication::Choice { group, options } => {
                    openings[&group].witness_for_choice(options)
                }
                Publication::Agreement { theirs, own } => {
                    openings[&own].witness_for_agreement(&openings[&theirs])
                }
            };
            let honest = search.finalise(kind, &openings).unwrap();
            let at = (kind, vin, place);
            assert_eq!(search.with_items(&honest, at, &items), honest);
            let mut refuse = |changed: &[Vec<u8>]| {
                let changed = search.with_items(&honest, at, changed);
                assert!(!search.is_valid(kind, vin, &changed), "{kind}");
                assert!(recover_published(&search.graph, &changed).is_err());
                refused += 1;
            };
            for index in 0..items.len() {
                let mut with = |item: Vec<u8>| {
                    let mut changed = items.clone();
                    changed[index] = item;
                    refuse(&changed);
                };
                let item = &items[index];
                match item.len() {
                    20 => {
                        with([&item[..19], &[item[19] ^ 1]].concat());
                        with(item[..19].to_vec());
                        with(Vec::new());
                    }
                    // A flag, which policy and the off-chain check want minimal.
                    0 => with(vec![1]),
                    _ => with(Vec::new()),
                }
            }
            for (one, other) in
                (0..items.len()).flat_map(|one| (0..one).map(move |other| (one, other)))
            {
                if items[one] != items[other] {
                    let mut swapped = items.clone();
                    swapped.swap(one, other);
                    refuse(&swapped);
                }
            }
        }
    }
    println!("covered: {refused} mutated inputs");
}

#[test]
fn an_answer_needs_nothing_but_what_is_on_chain_and_the_own_keys() {
    for search in Search::all() {
        let openings = search.toy.openings(5);
        // What the prover has seen, and nothing of the challenger's besides.
        let mut seen: BTreeMap<usize, Opening> = BTreeMap::new();
        for (kind, step) in search.toy.terms.layout.all_kinds() {
            for publication in step.publications() {
                match *publication {
                    Publication::Agreement { theirs, own } => {
                        let value = u32::from(seen[&theirs].message_digits()[0]);
                        seen.insert(own, search.toy.sign(own, value));
                    }
                    Publication::Value(group) => {
                        seen.insert(group, openings[&group].clone());
                    }
                    Publication::Choice { .. } => {}
                }
            }
            let transaction = match kind {
                Kind::Select(..) => search.finalise(kind, &openings).unwrap(),
                _ => search.finalise(kind, &seen).unwrap(),
            };
            for vin in 0..transaction.input.len() {
                assert!(search.is_valid(kind, vin, &transaction), "{kind}");
            }
            for published in recover_published(&search.graph, &transaction).unwrap() {
                assert_eq!(published.opening, openings[&published.group]);
                seen.insert(published.group, published.opening);
            }
        }
        assert_eq!(seen, openings, "{}", search.toy.name);
    }
}

#[test]
fn nobody_but_the_challenger_can_have_something_opened() {
    for search in Search::all() {
        for (kind, _, _, publication) in search.publications() {
            let Publication::Choice { group, options } = publication else {
                continue;
            };
            // Without an opening there is no select; a made-up one is no better.
            let shape = Shape::choice(options).unwrap();
            let foreign = search
                .toy
                .openings(6)
                .into_iter()
                .find(|(other, opening)| *other != group && *opening.parameters() == shape);
            let Some((_, foreign)) = foreign else {
                continue;
            };
            let mut openings = search.toy.openings(6);
            openings.insert(group, foreign);
            let forged = search.finalise(kind, &openings).unwrap();
            let vins = 0..forged.input.len();
            assert!(
                vins.clone().any(|vin| !search.is_valid(kind, vin, &forged)),
                "{kind}"
            );
            assert!(recover_published(&search.graph, &forged).is_err());
        }
    }
    let search = Search::all().swap_remove(0);
    let mut openings = search.toy.openings(6);
    let open = search.graph.transaction(Kind::OPEN).unwrap();
    let group = open.inputs[0].publications[0].group();
    openings.remove(&group);
    let kind = Kind::Select(Stage::Opening, 0);
    assert_eq!(
        search.finalise(kind, &openings),
        Err(FinaliseError::NoOpening { kind, group })
    );
}

#[test]
fn sizes_of_choices_are_attained_and_their_means_exact() {
    for search in Search::all() {
        let mut options_of = BTreeMap::new();
        for publication in search.toy.publications() {
            let witness = |value| match publication {
                Publication::Value(_) => Vec::new(),
                Publication::Choice { group, options } => {
                    search.toy.sign(group, value).witness_for_choice(options)
                }
                Publication::Agreement { theirs, own } => {
                    let theirs = search.toy.sign(theirs, value);
                    search.toy.sign(own, value).witness_for_agreement(&theirs)
                }
            };
            let options = match publication {
                Publication::Value(_) => continue,
                Publication::Choice { group, options } => {
                    options_of.insert(group, options);
                    options
                }
                Publication::Agreement { theirs, .. } => options_of[&theirs],
            };
            let size = search.graph.sizes().publication(&publication);
            let bytes = |value| -> usize { witness(value).iter().map(|item| 1 + item.len()).sum() };
            let all: Vec<usize> = (0..options).map(bytes).collect();
            let longest = *all.iter().max().unwrap();
            assert!(all.iter().all(|bytes| *bytes <= size.witness_bytes_max));
            assert!((0..options).all(|value| witness(value).len() == size.items));
            let is_full = options.is_power_of_two();
            // A repetition is measured over all values of its digit.
            if is_full || matches!(publication, Publication::Choice { .. }) {
                assert_eq!(longest, size.witness_bytes_max, "{publication:?}");
                let mean = all.iter().sum::<usize>() as f64 / all.len() as f64;
                assert!(
                    (mean - size.witness_bytes_mean).abs() < 1e-9,
                    "{publication:?}"
                );
            }
        }
    }
}
