//! Every selection from 2 to 16 options in full, with everything that a signer can put together from his chains. The off-chain
//! check must agree with the scripts every time.

use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use tapcourt_script::interpreter::{Execution, Rules, execute};
use tapcourt_script::script;

use super::*;
use crate::chain::{advance, step};
use crate::{KeyPath, OpenDigits, SecretKey, Seed};

/// Options that fill their digit.
const FULL: [u32; 4] = [2, 4, 8, 16];

fn secret(options: u32, role: &str) -> SecretKey {
    let path = KeyPath {
        contract: [7; 32],
        role,
        label: "choice",
    };
    let parameters = Parameters::choice(options).unwrap();
    SecretKey::derive(&Seed::new([3; 32]), &path, &parameters)
}

/// The openings of every value of the digit, options or not.
fn openings(secret: &SecretKey) -> Vec<Opening> {
    let bits = secret.parameters().message_bits();
    (0..1u32 << bits)
        .map(|value| {
            let message: Vec<bool> = (0..bits).map(|bit| value >> bit & 1 == 1).collect();
            secret.sign(&message)
        })
        .collect()
}

/// Every element of a key's chains, and one hash beyond each end.
fn elements(openings: &[Opening]) -> Vec<Vec<u8>> {
    let last = openings.len() - 1;
    let starts = [openings[last].elements()[0], openings[0].elements()[1]];
    starts
        .iter()
        .flat_map(|start| (0..=last as u32 + 1).map(|hashes| advance(start, hashes).to_vec()))
        .collect()
}

/// Runs a script that is to leave nothing.
fn run(script: &Script, witness: &[Vec<u8>], rules: Rules) -> Execution {
    let full = script! { { 5 } OP_TOALTSTACK { script } OP_1 };
    execute(&full, witness.to_vec(), None, rules)
}

/// Whether a script accepts items and leaves both stacks as they were below them.
fn runs(script: &Script, witness: &[Vec<u8>]) -> bool {
    let execution = run(script, witness, Rules::Consensus);
    if execution.succeeded() {
        assert_eq!(execution.altstack, [[5]], "the altstack is as found");
        assert!(
            run(script, witness, Rules::Policy).succeeded(),
            "policy accepts what consensus does"
        );
    }
    execution.succeeded()
}

/// A selecting script; counts what it is given.
struct Choosing {
    key: PublicKey,
    options: u32,
    script: Fragment,
    executed: u64,
    accepted: u64,
}

impl Choosing {
    fn new(key: PublicKey, options: u32) -> Self {
        Self {
            script: key.choose_script(options),
            key,
            options,
            executed: 0,
            accepted: 0,
        }
    }

    /// Whether the script accepts; the off-chain check must say the same.
    fn accepts(&mut self, witness: &[Vec<u8>]) -> bool {
        let accepted = runs(self.script.script(), witness);
        let recovered = self.key.recover_choice(witness, self.options);
        assert_eq!(
            recovered.is_ok(),
            accepted,
            "{} options, {witness:02x?}: {recovered:?}",
            self.options
        );
        if let Ok(opening) = recovered {
            assert!(u32::from(opening.message_digits()[0]) < self.options);
            assert_eq!(opening.witness_for_choice(self.options), witness);
        }
        self.executed += 1;
        self.accepted += u64::from(accepted);
        accepted
    }
}

/// A script that repeats a selection; counts what it is given.
struct Agreeing {
    own: PublicKey,
    theirs: PublicKey,
    script: Fragment,
    executed: u64,
    accepted: u64,
}

impl Agreeing {
    fn new(own: PublicKey, theirs: PublicKey) -> Self {
        Self {
            script: own.agree_script(&theirs),
            own,
            theirs,
            executed: 0,
            accepted: 0,
        }
    }

    /// Whether the script accepts; the off-chain check must say the same.
    fn accepts(&mut self, witness: &[Vec<u8>]) -> bool {
        let accepted = runs(self.script.script(), witness);
        let recovered = self.own.recover_agreement(&self.theirs, witness);
        assert_eq!(
            recovered.is_ok(),
            accepted,
            "{:?}, {witness:02x?}: {recovered:?}",
            self.own.parameters()
        );
        if let Ok((own, theirs)) = recovered {
            assert_eq!(own.message(), theirs.message());
            assert_eq!(own.witness_for_agreement(&theirs), witness);
        }
        self.executed += 1;
        self.accepted += u64::from(accepted);
        accepted
    }
}

/// Writes the flags of a number into the items that are flags.
fn set_flags(witness: &mut [Vec<u8>], items: &[ChoiceItem], flags: u32) {
    for (bytes, item) in witness.iter_mut().zip(items) {
        if let ChoiceItem::Flag { bit } = *item {
            *bytes = vec![1; (flags >> bit & 1) as usize];
        }
    }
}

/// Positions of the items that are elements.
fn places(items: &[ChoiceItem]) -> Vec<usize> {
    (0..items.len())
        .filter(|&place| matches!(items[place], ChoiceItem::Element { .. }))
        .collect()
}

/// Other encodings of flags, and items of other sizes.
fn odd_items(item: &[u8]) -> Vec<Vec<u8>> {
    let mut odd: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    for size in [0, 2, 3, 4, 5, 19, 20, 21, 80, 81, 500, 520] {
        odd.extend([vec![0; size], vec![1; size]]);
    }
    odd.extend([
        vec![0, 0x80],
        vec![1, 0],
        vec![1, 0, 0, 0],
        vec![0, 0, 0, 0x80],
    ]);
    odd.push(item.iter().copied().chain([0]).collect());
    odd.push(item.iter().copied().skip(1).collect());
    odd.push(item.iter().copied().skip(1).chain([0]).collect());
    odd
}

/// Every change to one item, every item removed, doubled or inserted, and every two exchanged.
fn mutations(honest: &[Vec<u8>], universe: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    let mut mutations = Vec::new();
    for position in 0..=honest.len() {
        let inserted: [&[u8]; 3] = [&[], &[1], &[5; 20]];
        for item in inserted {
            let mut longer = honest.to_vec();
            longer.insert(position, item.to_vec());
            mutations.push(longer);
        }
    }
    for position in 0..honest.len() {
        let odd = odd_items(&honest[position]);
        for item in odd.iter().chain(universe) {
            let mut changed = honest.to_vec();
            changed[position] = item.clone();
            mutations.push(changed);
        }
        let mut shorter = honest.to_vec();
        shorter.remove(position);
        mutations.push(shorter);
        let mut longer = honest.to_vec();
        longer.insert(position, honest[position].clone());
        mutations.push(longer);
        for other in 0..position {
            let mut exchanged = honest.to_vec();
            exchanged.swap(position, other);
            mutations.push(exchanged);
        }
    }
    mutations.retain(|mutation| mutation != honest);
    mutations
}

#[test]
fn shapes_are_of_2_to_16_options() {
    for options in [0, 1, 17, u32::MAX] {
        assert_eq!(
            Parameters::choice(options),
            Err(ParametersError::Options { options })
        );
    }
    for (options, width) in [(2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (16, 4)] {
        assert_eq!(
            Parameters::choice(options),
            Parameters::with_digits(&[width], &[width])
        );
    }
}

#[test]
fn flags_give_every_value_once() {
    for last in 1..MAX_OPTIONS {
        let flags = Flags::up_to(last);
        let mut seen = 0u32;
        for value in 0..1u32 << flags.width {
            let set: Vec<bool> = (0..flags.width).map(|bit| flags.flag(value, bit)).collect();
            assert_eq!(flags.value(&set), value);
            seen |= 1 << set.iter().fold(0, |bits, &set| bits << 1 | u32::from(set));
        }
        assert_eq!(seen.count_ones(), 1 << flags.width);
    }
}

/// Every arrangement of flags and elements of the key's chains: as many are accepted as there are options.
#[test]
fn a_signer_can_select_each_option_in_one_way() {
    let (mut executed, mut accepted) = (0, 0);
    for options in 2..=MAX_OPTIONS {
        let secret = secret(options, "challenger");
        let openings = openings(&secret);
        let mut choosing = Choosing::new(secret.public_key(), options);
        for opening in &openings {
            let is_option = u32::from(opening.message_digits()[0]) < options;
            let witness = opening.witness_for_choice(options);
            assert_eq!(choosing.accepts(&witness), is_option);
            let error = choosing.key.recover_choice(&witness, options).err();
            let value = opening.message_digits()[0].into();
            let expected = RecoverError::NotAnOption { value, options };
            assert_eq!(error, (!is_option).then_some(expected));
        }
        assert_eq!(choosing.accepted, options.into());
        let items = choice::choose_items(secret.parameters().choice_width());
        let (universe, places) = (elements(&openings), places(&items));
        choosing.accepted = 0;
        let mut witness = vec![Vec::new(); items.len()];
        for flags in 0..openings.len() as u32 {
            set_flags(&mut witness, &items, flags);
            for first in &universe {
                witness[places[0]].clone_from(first);
                match places.get(1) {
                    None => _ = choosing.accepts(&witness),
                    Some(&second_place) => {
                        for second in &universe {
                            witness[second_place].clone_from(second);
                            choosing.accepts(&witness);
                        }
                    }
                }
            }
        }
        assert_eq!(choosing.accepted, options.into(), "one witness an option");
        executed += choosing.executed;
        accepted += choosing.accepted;
    }
    println!("covered: {executed} witnesses for choices, {accepted} options selected");
}

#[test]
fn no_other_item_selects() {
    let mut executed = 0;
    for options in 2..=MAX_OPTIONS {
        let secret = secret(options, "challenger");
        let openings = openings(&secret);
        let universe = elements(&openings);
        let mut choosing = Choosing::new(secret.public_key(), options);
        for opening in &openings {
            for witness in mutations(&opening.witness_for_choice(options), &universe) {
                assert!(
                    !choosing.accepts(&witness),
                    "{options} options: {witness:02x?}"
                );
            }
        }
        executed += choosing.executed;
    }
    println!("covered: {executed} witnesses for choices");
}

/// Every arrangement for one and two bits; for more, every two elements exchanged for any of both keys' chains.
#[test]
fn an_agreement_is_of_equal_values() {
    let (mut executed, mut accepted) = (0, 0);
    for options in FULL {
        let (own, theirs) = (secret(options, "prover"), secret(options, "challenger"));
        let (own_openings, their_openings) = (openings(&own), openings(&theirs));
        let mut agreeing = Agreeing::new(own.public_key(), theirs.public_key());
        let items = choice::agree_items(own.parameters().choice_width());
        let places = places(&items);
        let universe: Vec<Vec<u8>> = [elements(&own_openings), elements(&their_openings)].concat();

        // Every two values, by any flags and with the elements of each key in both orders.
        for own in &own_openings {
            for theirs in &their_openings {
                for flags in 0..options {
                    for orders in 0..4 {
                        let mut witness = vec![Vec::new(); items.len()];
                        set_flags(&mut witness, &items, flags);
                        for &place in &places {
                            let ChoiceItem::Element { key, hashed_first } = items[place] else {
                                unreachable!("elements lie in these places")
                            };
                            let digit = usize::from(hashed_first) ^ (orders >> key & 1);
                            witness[place] = [own, theirs][key].elements()[digit].to_vec();
                        }
                        let honest = own.message() == theirs.message()
                            && witness == own.witness_for_agreement(theirs);
                        assert_eq!(agreeing.accepts(&witness), honest, "{witness:02x?}");
                    }
                }
            }
        }
        assert_eq!(agreeing.accepted, options.into(), "one witness a value");

        if options <= 4 {
            agreeing.accepted = 0;
            let count = universe.len();
            for arrangement in 0..count.pow(places.len() as u32) {
                let mut witness = vec![Vec::new(); items.len()];
                let mut rest = arrangement;
                for &place in &places {
                    witness[place].clone_from(&universe[rest % count]);
                    rest /= count;
                }
                for flags in 0..options {
                    set_flags(&mut witness, &items, flags);
                    agreeing.accepts(&witness);
                }
            }
            assert_eq!(agreeing.accepted, options.into(), "one witness a value");
        } else {
            for (own, theirs) in own_openings.iter().zip(&their_openings) {
                let honest = own.witness_for_agreement(theirs);
                for (index, &first) in places.iter().enumerate() {
                    for &second in &places[..index] {
                        let mut witness = honest.clone();
                        for one in &universe {
                            witness[first].clone_from(one);
                            for other in &universe {
                                witness[second].clone_from(other);
                                assert_eq!(agreeing.accepts(&witness), witness == honest);
                            }
                        }
                    }
                }
            }
        }
        executed += agreeing.executed;
        accepted += agreeing.accepted;
    }
    println!("covered: {executed} witnesses for choices; {accepted} accepted");
}

#[test]
fn no_other_item_agrees() {
    let mut executed = 0;
    for options in FULL {
        let (own, theirs) = (secret(options, "prover"), secret(options, "challenger"));
        let (own_openings, their_openings) = (openings(&own), openings(&theirs));
        let universe: Vec<Vec<u8>> = [elements(&own_openings), elements(&their_openings)].concat();
        let mut agreeing = Agreeing::new(own.public_key(), theirs.public_key());
        for (own, theirs) in own_openings.iter().zip(&their_openings) {
            for witness in mutations(&own.witness_for_agreement(theirs), &universe) {
                assert!(!agreeing.accepts(&witness), "{witness:02x?}");
            }
        }
        executed += agreeing.executed;
    }
    println!("covered: {executed} witnesses for choices");
}

/// A key of one's own making, whose opening of `value` shows this item, of any size, for one digit.
fn key_upon(options: u32, value: u32, digit: usize, shown: &[u8]) -> (PublicKey, Opening) {
    let parameters = Parameters::choice(options).unwrap();
    let maximum = parameters.total();
    let values = [value, maximum - value];
    let mut revealed = [[9; ELEMENT_BYTES]; 2];
    let mut ends = [0, 1].map(|digit| advance(&revealed[digit], values[digit]));
    ends[digit] = advance(&step(shown), values[digit] - 1);
    revealed[digit] = [0xee; ELEMENT_BYTES]; // to be found and replaced
    let opening = Opening::new(
        parameters.clone(),
        values.map(|value| value as u8).to_vec(),
        revealed.to_vec(),
    );
    (PublicKey::new(parameters, ends.to_vec()).unwrap(), opening)
}

fn show(witness: &mut [Vec<u8>], shown: &[u8]) {
    let place = witness.iter().position(|item| item == &[0xee; 20]);
    witness[place.expect("a hashed element is shown")] = shown.to_vec();
}

/// A signer builds a chain upon an item of the wrong size.
#[test]
fn elements_of_another_size_are_refused() {
    let mut cases = 0;
    for options in 2..=MAX_OPTIONS {
        for value in 0..options {
            for digit in 0..2 {
                let maximum = Parameters::choice(options).unwrap().total();
                if [value, maximum - value][digit] == 0 {
                    continue; // the element is the end
                }
                for size in [0, 1, 19, 20, 21, 80, 81, 500, 520] {
                    let shown = vec![5; size];
                    let (key, opening) = key_upon(options, value, digit, &shown);
                    let mut witness = opening.witness_for_choice(options);
                    show(&mut witness, &shown);
                    // With 20 bytes, it is a chain like any other.
                    let mut choosing = Choosing::new(key.clone(), options);
                    assert_eq!(choosing.accepts(&witness), size == 20);

                    let other = secret(options, "other");
                    let same = openings(&other).swap_remove(value as usize);
                    let mut witness = opening.witness_for_agreement(&same);
                    show(&mut witness, &shown);
                    let mut agreeing = Agreeing::new(key.clone(), other.public_key());
                    assert_eq!(agreeing.accepts(&witness), size == 20);

                    // The element of the other party is not checked again on chain.
                    let mut witness = same.witness_for_agreement(&opening);
                    show(&mut witness, &shown);
                    let script = other.public_key().agree_script(&key);
                    assert!(run(script.script(), &witness, Rules::Consensus).succeeded());
                    let recovered = other.public_key().recover_agreement(&key, &witness);
                    assert_eq!(recovered.is_ok(), size == 20);
                    cases += 3;
                }
            }
        }
    }
    println!("covered: {cases} witnesses for choices");
}

#[test]
fn random_items_never_panic() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let cases = 20_000;
    let mut accepted = 0;
    for _ in 0..cases {
        let options = rng.gen_range(2..=MAX_OPTIONS);
        let (own, theirs) = (secret(options, "prover"), secret(options, "challenger"));
        let (own_openings, their_openings) = (openings(&own), openings(&theirs));
        let value = rng.gen_range(0..own_openings.len());
        let mut choosing = Choosing::new(own.public_key(), options);
        let mut agreeing = Agreeing::new(own.public_key(), theirs.public_key());
        let mut spoil = |witness: &mut Vec<Vec<u8>>| {
            for _ in 0..rng.gen_range(0..3) {
                let size = *[0, 1, 1, 2, 20, 20, 21].choose(rng).unwrap();
                let item: Vec<u8> = (0..size).map(|_| rng.gen_range(0..3)).collect();
                match rng.gen_range(0..6) {
                    0 => witness.insert(rng.gen_range(0..=witness.len()), item),
                    1 => _ = witness.pop(),
                    _ if !witness.is_empty() => {
                        let place = rng.gen_range(0..witness.len());
                        witness[place] = item;
                    }
                    _ => {}
                }
            }
        };
        let mut witness = own_openings[value].witness_for_choice(options);
        spoil(&mut witness);
        choosing.accepts(&witness);
        let mut witness = own_openings[value].witness_for_agreement(&their_openings[value]);
        spoil(&mut witness);
        agreeing.accepts(&witness);
        accepted += choosing.accepted + agreeing.accepted;
    }
    println!(
        "covered: {} witnesses for choices; {accepted} accepted",
        2 * cases
    );
}

/// What was selected opens as numbers and bits like any other opening of the key.
#[test]
fn a_selection_can_be_opened() {
    for options in 2..=MAX_OPTIONS {
        let secret = secret(options, "challenger");
        let key = secret.public_key();
        for (value, opening) in (0..options).zip(openings(&secret)) {
            let witness = opening.witness_for_choice(options);
            let opening = key.recover_choice(&witness, options).unwrap();
            assert_eq!(key.verify(&opening), Ok(opening.message()));
            let digits = OpenDigits::natural(key.parameters());
            let leaf = script! { { key.open_digits(&digits) } OP_FROMALTSTACK { value } OP_EQUAL };
            let witness = opening.witness_for_digits(&digits);
            assert!(execute(&leaf, witness, None, Rules::Policy).succeeded());
        }
    }
}

/// Bytes of witness items with their length prefixes.
fn witness_bytes(witness: &[Vec<u8>]) -> usize {
    witness.iter().map(|item| 1 + item.len()).sum()
}

fn check_size(size: Size, script: &Fragment, witnesses: &[Vec<Vec<u8>>]) {
    let bytes: Vec<usize> = witnesses
        .iter()
        .map(|witness| witness_bytes(witness))
        .collect();
    let runs = witnesses.iter().map(|witness| {
        let full = script! { { script.script() } OP_1 };
        let execution = execute(&full, witness.clone(), None, Rules::Policy);
        assert!(execution.succeeded());
        execution.max_stack
    });
    let expected = Size {
        script_bytes: script.len_bytes(),
        witness_bytes_mean: bytes.iter().sum::<usize>() as f64 / bytes.len() as f64,
        witness_bytes_max: bytes.iter().copied().max().unwrap(),
        items: witnesses[0].len(),
        opcodes: script.opcodes(),
        max_stack: runs.max().unwrap(),
    };
    assert_eq!(size, expected);
}

#[test]
fn sizes_are_exact() {
    println!(
        "options | choose: script + witness mean = | agree: script + witness mean = | publish"
    );
    for options in 2..=MAX_OPTIONS {
        let (own, theirs) = (secret(options, "prover"), secret(options, "challenger"));
        let (own_openings, their_openings) = (openings(&own), openings(&theirs));
        let parameters = own.parameters();
        let choose = parameters.choose_size(options);
        let witnesses: Vec<_> = own_openings[..options as usize]
            .iter()
            .map(|opening| opening.witness_for_choice(options))
            .collect();
        let key = own.public_key();
        check_size(choose, &key.choose_script(options), &witnesses);
        let agree = parameters.agree_size();
        let witnesses: Vec<_> = own_openings
            .iter()
            .zip(&their_openings)
            .map(|(own, theirs)| own.witness_for_agreement(theirs))
            .collect();
        check_size(agree, &key.agree_script(&theirs.public_key()), &witnesses);
        let publish = parameters.publish_size();
        println!(
            "{options:7} | {} + {:.2} = {:.2} (max {}, stack {}) | {} + {:.2} = {:.2} (max {}, stack {}) | {} + {:.2} = {:.2}",
            choose.script_bytes,
            choose.witness_bytes_mean,
            choose.weight_wu_mean(),
            choose.weight_wu_max(),
            choose.max_stack,
            agree.script_bytes,
            agree.witness_bytes_mean,
            agree.weight_wu_mean(),
            agree.weight_wu_max(),
            agree.max_stack,
            publish.script_bytes,
            publish.witness_bytes_mean,
            publish.weight_wu_mean(),
        );
        assert!(choose.weight_wu_max() < publish.weight_wu_max());
    }
}

#[test]
#[should_panic(expected = "is not the shape of a choice")]
fn other_shapes_do_not_agree() {
    let parameters = Parameters::winternitz(8, 4).unwrap();
    parameters.agree_size();
}

#[test]
#[should_panic(expected = "the shape is that of a choice from 5 options")]
fn other_shapes_do_not_select() {
    Parameters::choice(3).unwrap().choose_size(5);
}
