//! Small shapes in full: every message, every tampering. The scripts run under consensus rules and under policy, and the off-chain
//! check must agree with them every time.

use std::cell::Cell;

use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::{encode_number, script};

use super::{Item, Template, open_bits, open_digits, publish};
use crate::chain::{advance, step};
use crate::{
    Destination, Element, KeyPath, OpenDigits, OpenOrder, Opening, Parameters, PublicKey,
    SecretKey, Seed, checksum_bits,
};

/// What an accepting script leaves.
enum Left {
    Nothing,
    Bits(OpenOrder),
    Digits(OpenDigits),
}

/// A key, one of its scripts, and what it must leave.
struct Law<'a> {
    key: &'a PublicKey,
    template: Template,
    left: Left,
    executed: &'a Cell<u64>,
}

impl Law<'_> {
    /// Runs the script on items, bottom first, and says whether it accepts them. Checks that the off-chain check
    /// agrees, that policy never accepts more than consensus, and what an accepting script leaves behind.
    fn accepts(&self, witness: Vec<Vec<u8>>) -> bool {
        let on_stack = match &self.left {
            Left::Digits(digits) if digits.destination() == Destination::Stack => {
                digits.order().len()
            }
            _ => 0,
        };
        // Numbers on the stack are moved to the altstack, bottom first, to look at them.
        let full = script! {
            { self.template.script }
            for _ in 0..on_stack { OP_TOALTSTACK }
            OP_1
        };
        let recovered = self.key.recover_items(&self.template.items, &witness);
        let consensus = execute(&full, witness.clone(), None, Rules::Consensus);
        self.executed.set(self.executed.get() + 1);
        let accepted = consensus.succeeded();
        assert_eq!(
            recovered.is_ok(),
            accepted,
            "{:?} {witness:02x?}: {recovered:?}",
            self.key.parameters()
        );
        if let Ok(opening) = recovered {
            assert!(
                execute(&full, witness, None, Rules::Policy).succeeded(),
                "policy accepts what consensus does"
            );
            let message = opening.message();
            // The altstack is bottom first, the orders top first.
            let expected: Vec<Vec<u8>> = match &self.left {
                Left::Bits(order) => order
                    .bits()
                    .iter()
                    .rev()
                    .map(|&bit| vec![1; message[bit as usize].into()])
                    .collect(),
                Left::Digits(digits) => {
                    let number = |&digit: &u32| {
                        let value = opening.message_digits()[digit as usize];
                        encode_number(digits.number(digit as usize, value))
                    };
                    match digits.destination() {
                        Destination::Altstack => digits.order().iter().rev().map(number).collect(),
                        Destination::Stack => digits.order().iter().map(number).collect(),
                    }
                }
                Left::Nothing => Vec::new(),
            };
            assert_eq!(consensus.altstack, expected);
        }
        accepted
    }

    /// The items for any values and elements, honest or not.
    fn items(&self, values: &[u8], elements: &[Element]) -> Vec<Vec<u8>> {
        let bytes = |item: &Item| match *item {
            Item::Flag { digit, bit } => vec![1; usize::from(values[digit] >> bit & 1)],
            Item::Pick { digit, bit } => vec![8 - (values[digit] >> bit)],
            Item::Element { digit } => elements[digit].to_vec(),
        };
        self.template.items.iter().map(bytes).collect()
    }
}

fn secret(parameters: &Parameters) -> SecretKey {
    let path = KeyPath {
        contract: [7; 32],
        role: "prover",
        label: "small",
    };
    SecretKey::derive(&Seed::new([3; 32]), &path, parameters)
}

fn laws<'a>(key: &'a PublicKey, executed: &'a Cell<u64>) -> Vec<Law<'a>> {
    let parameters = key.parameters();
    let bits = parameters.message_bits() as u32;
    let mut laws = vec![Law {
        key,
        template: publish(parameters, key.ends()),
        left: Left::Nothing,
        executed,
    }];
    for digits in deliveries(parameters) {
        let template = open_digits(parameters, key.ends(), &digits);
        laws.push(Law {
            key,
            template,
            left: Left::Digits(digits),
            executed,
        });
    }
    for order in [
        OpenOrder::natural(parameters),
        OpenOrder::from_first_use(parameters, (0..bits).rev()),
    ] {
        let template = open_bits(parameters, key.ends(), &order);
        laws.push(Law {
            key,
            template,
            left: Left::Bits(order),
            executed,
        });
    }
    laws
}

/// Plain digits, and reversed, scaled and offset ones on the stack.
fn deliveries(parameters: &Parameters) -> [OpenDigits; 2] {
    let count = parameters.message_digits().len() as u32;
    let offsets: Vec<i32> = (0..count as i32).map(|digit| 300 * digit - 1).collect();
    [
        OpenDigits::natural(parameters),
        OpenDigits::natural(parameters)
            .ordered((0..count).rev().collect())
            .and_then(|digits| digits.scaled(1))
            .and_then(|digits| digits.with_offsets(&offsets))
            .unwrap()
            .onto(Destination::Stack),
    ]
}

fn messages(bits: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1u32 << bits).map(move |message| (0..bits).map(|bit| message >> bit & 1 == 1).collect())
}

/// A shape that publishes some digits by numbers.
fn picked(message: &[u8], checksum: &[u8], picks: usize) -> Parameters {
    let flags = Parameters::with_digits(message, checksum).unwrap();
    flags.with_picks(picks).unwrap()
}

/// Shapes small enough to try every combination of claimed digits and reachable elements.
fn tiny_shapes() -> Vec<Parameters> {
    let shapes: &[(&[u8], &[u8])] = &[
        (&[1], &[1]),
        (&[2], &[2]),
        (&[2], &[1, 1]),
        (&[3], &[3]),
        (&[3], &[1, 2]),
        (&[1, 1], &[2]),
        (&[1, 1], &[1, 1]),
        (&[1, 1, 1], &[2]),
        (&[1, 1, 1, 1], &[3]),
        (&[1, 1, 1, 1], &[1, 2]),
        (&[2, 1], &[2, 1]),
        (&[1, 2], &[3]),
        (&[2, 2], &[3]),
        (&[2, 2], &[2, 1]),
    ];
    let winternitz = shapes
        .iter()
        .map(|(message, checksum)| Parameters::with_digits(message, checksum).unwrap());
    winternitz
        .chain((1..=3).map(|bits| Parameters::lamport(bits).unwrap()))
        .chain([picked(&[3], &[3], 1), picked(&[3], &[1, 2], 1)])
        .collect()
}

/// Shapes for which one or two positions are tampered with at a time.
fn small_shapes() -> Vec<Parameters> {
    let shapes: &[(&[u8], &[u8])] = &[
        (&[2, 2], &[1, 2]),
        (&[2, 2, 2], &[2, 2]),
        (&[2, 2, 2, 2], &[4]),
        (&[3, 3], &[2, 2]),
        (&[3, 3, 3], &[3, 2]),
        (&[3, 2, 1], &[2, 2]),
        (&[4], &[4]),
        (&[1, 1, 1, 1, 1, 1, 1], &[3]),
    ];
    let winternitz = shapes
        .iter()
        .map(|(message, checksum)| Parameters::with_digits(message, checksum).unwrap());
    winternitz
        .chain([
            Parameters::lamport(4).unwrap(),
            picked(&[4], &[4], 1),
            picked(&[3, 3], &[2, 2], 2),
            picked(&[3, 3, 3], &[3, 2], 2),
            picked(&[4, 4], &[3, 2], 2),
            picked(&[3, 4], &[3, 2], 2),
        ])
        .collect()
}

/// What a holder of the opening can claim about each digit: every value, with every element he can reach by hashing the revealed one.
fn claims(opening: &Opening, digit: usize) -> Vec<(u8, Element)> {
    let width = opening
        .parameters()
        .all_digits()
        .nth(digit)
        .expect("the digit exists")
        .width;
    let hashes = u32::from(opening.values()[digit]) + 1; // one beyond the end, too
    (0..1 << width)
        .flat_map(|value| (0..=hashes).map(move |count| (value, count)))
        .map(|(value, count)| (value, advance(&opening.elements()[digit], count)))
        .collect()
}

/// Runs every combination of claims about these digits, the others honest.
fn try_claims(law: &Law<'_>, opening: &Opening, digits: &[usize], honest: &mut u64) {
    let (mut values, mut elements) = (opening.values().to_vec(), opening.elements().to_vec());
    let claims: Vec<_> = digits.iter().map(|&digit| claims(opening, digit)).collect();
    let mut choice = vec![0; digits.len()];
    loop {
        for (position, &digit) in digits.iter().enumerate() {
            (values[digit], elements[digit]) = claims[position][choice[position]];
        }
        let items = law.items(&values, &elements);
        let is_honest = items == law.items(opening.values(), opening.elements());
        assert_eq!(
            law.accepts(items),
            is_honest,
            "values {values:?} instead of {:?}",
            opening.values()
        );
        *honest += u64::from(is_honest);
        let Some(position) =
            (0..choice.len()).find(|&position| choice[position] + 1 < claims[position].len())
        else {
            return;
        };
        choice[..position].fill(0);
        choice[position] += 1;
    }
}

#[test]
fn no_combination_of_digits_and_reachable_elements_forges() {
    let (executed, mut honest) = (Cell::new(0), 0);
    for parameters in tiny_shapes() {
        let secret = secret(&parameters);
        let key = secret.public_key();
        let digits: Vec<usize> = (0..parameters.digits()).collect();
        for message in messages(parameters.message_bits()) {
            let opening = secret.sign(&message);
            assert_eq!(key.verify(&opening), Ok(message));
            for law in &laws(&key, &executed)[..4] {
                try_claims(law, &opening, &digits, &mut honest);
            }
        }
    }
    println!(
        "{} shapes, {} witnesses, {honest} of them honest",
        tiny_shapes().len(),
        executed.get()
    );
    println!("covered: {} witnesses against keys", executed.get());
}

#[test]
fn no_two_positions_forge() {
    let (executed, mut honest) = (Cell::new(0), 0);
    for parameters in small_shapes() {
        let secret = secret(&parameters);
        let key = secret.public_key();
        let stride = (1 << parameters.message_bits()) / 8 + 1;
        for message in messages(parameters.message_bits()).step_by(stride) {
            let opening = secret.sign(&message);
            for law in &laws(&key, &executed)[..2] {
                for first in 0..parameters.digits() {
                    let last = parameters.digits() - 1;
                    let pair = if first == last {
                        vec![first]
                    } else {
                        vec![first, last]
                    };
                    try_claims(law, &opening, &pair, &mut honest);
                }
            }
        }
    }
    println!(
        "{} shapes, {} witnesses, {honest} of them honest",
        small_shapes().len(),
        executed.get()
    );
    println!("covered: {} witnesses against keys", executed.get());
}

/// Other encodings of 0 and 1, and values that are neither.
fn other_flags() -> Vec<Vec<u8>> {
    vec![
        vec![0x00],
        vec![0x80],
        vec![0x02],
        vec![0x03],
        vec![0x08],
        vec![0x09],
        vec![0x0a],
        vec![0x0b],
        vec![0x7f],
        vec![0x81],
        vec![0xff],
        vec![0, 0],
        vec![0, 0x80],
        vec![1, 0],
        vec![1, 0x80],
        vec![0, 1],
        vec![0, 0, 0, 0],
        vec![1, 0, 0, 0],
        vec![0, 0, 0, 0x80],
        vec![3, 0],
        vec![8, 0, 0],
        vec![3, 0, 0, 0],
        vec![0, 0, 0, 0, 0],
        vec![7; 9],
        vec![7; 10],
        vec![7; 11],
        vec![1, 0, 0, 0, 0],
        vec![1; 20],
        vec![0; 81],
    ]
}

#[test]
fn every_opening_has_one_encoding() {
    let executed = Cell::new(0);
    for parameters in tiny_shapes().into_iter().chain(small_shapes()) {
        let secret = secret(&parameters);
        let key = secret.public_key();
        let stride = 1 + (1 << parameters.message_bits()) / 8;
        for message in messages(parameters.message_bits()).step_by(stride) {
            let opening = secret.sign(&message);
            for law in laws(&key, &executed) {
                let honest = law.items(opening.values(), opening.elements());
                assert!(law.accepts(honest.clone()));
                let refuses = |witness: Vec<Vec<u8>>| {
                    assert!(
                        witness == honest || !law.accepts(witness.clone()),
                        "{witness:02x?} for {honest:02x?}"
                    );
                };
                for position in 0..honest.len() {
                    let with = |item: Vec<u8>| {
                        let mut witness = honest.clone();
                        witness[position] = item;
                        witness
                    };
                    other_flags()
                        .into_iter()
                        .for_each(|flag| refuses(with(flag)));
                    refuses(with(Vec::new()));
                    refuses(with(vec![1]));
                    refuses(with(honest[position].iter().copied().chain([0]).collect()));
                    refuses(with(
                        honest[position]
                            .iter()
                            .copied()
                            .skip(1)
                            .chain([0])
                            .collect(),
                    ));

                    let mut missing = honest.clone();
                    missing.remove(position);
                    refuses(missing);
                    for extra in [vec![], vec![1], vec![5; 20], honest[position].clone()] {
                        let mut longer = honest.clone();
                        longer.insert(position, extra);
                        refuses(longer);
                    }
                    for other in 0..position {
                        let mut swapped = honest.clone();
                        swapped.swap(position, other);
                        refuses(swapped);
                    }
                }
                let mut longer = honest.clone();
                longer.push(vec![1]);
                refuses(longer);
            }
        }
    }
    println!("covered: {} witnesses against keys", executed.get());
}

/// A key whose chains all start alike, so that elements can be exchanged between digits: a bad key, but scripts and off-chain check must
/// still agree about what it accepts.
#[test]
fn scripts_and_off_chain_check_agree_on_a_key_with_repeated_hashes() {
    let executed = Cell::new(0);
    let parameters = Parameters::with_digits(&[2, 2], &[2, 1]).unwrap();
    let start = [9; 20];
    let ends = parameters
        .all_digits()
        .map(|digit| advance(&start, digit.maximum()))
        .collect();
    let key = PublicKey::new(parameters.clone(), ends).unwrap();
    let mut accepted = 0u32;
    for law in laws(&key, &executed) {
        for values in 0..1u32 << 7 {
            let values: Vec<u8> = vec![
                (values & 3) as u8,
                (values >> 2 & 3) as u8,
                (values >> 4 & 3) as u8,
                (values >> 6) as u8,
            ];
            for hashes in 0..1u32 << 8 {
                let elements: Vec<Element> = (0..4)
                    .map(|digit| advance(&start, hashes >> (2 * digit) & 3))
                    .collect();
                accepted += u32::from(law.accepts(law.items(&values, &elements)));
            }
        }
    }
    assert_eq!(
        accepted,
        5 * 16,
        "16 messages, one opening each, in five scripts"
    );
    println!(
        "covered: {} witnesses against keys; {accepted} accepted",
        executed.get()
    );
}

/// A signer builds a chain upon a start of the wrong size. Published, it would make every transaction that repeats it
/// non-standard.
#[test]
fn a_publishing_script_refuses_elements_of_another_size() {
    for size in [0, 1, 19, 21, 80, 81, 520] {
        let start = vec![5u8; size];
        let parameters = Parameters::with_digits(&[2], &[2]).unwrap();
        // Digit 3, the start itself, needs three hashes; the checksum digit is 0 and shows its end.
        let other_end = [8; 20];
        let key = PublicKey::new(
            parameters.clone(),
            vec![advance(&step(&start), 2), other_end],
        )
        .unwrap();
        let template = publish(&parameters, key.ends());
        let witness: Vec<Vec<u8>> = template
            .items
            .iter()
            .map(|item| match *item {
                Item::Flag { digit, .. } => vec![1; usize::from(digit == 0)],
                Item::Pick { .. } => unreachable!("the shape has no picks"),
                Item::Element { digit: 0 } => start.clone(),
                Item::Element { .. } => other_end.to_vec(),
            })
            .collect();
        let full = script! { { template.script } OP_1 };
        assert!(
            !execute(&full, witness.clone(), None, Rules::Consensus).succeeded(),
            "{size} bytes"
        );
        assert!(key.recover(&witness).is_err());

        // Lamport: the preimage itself has the wrong size.
        let key =
            PublicKey::new(Parameters::lamport(1).unwrap(), vec![[1; 20], step(&start)]).unwrap();
        let full = script! { { key.publish_script() } OP_1 };
        assert!(
            !execute(&full, vec![start.clone()], None, Rules::Consensus).succeeded(),
            "{size} bytes"
        );
        assert!(key.recover(&[start]).is_err());
    }
}

/// A signer may put anything into a witness and know every preimage, so a number could pay if it reached beyond the list: to the end of
/// the digit's chain, put where a later digit's element belongs. Every number of one and two bytes, and some longer ones, is tried
/// in every digit, with the elements in every arrangement and ends among them, on keys whose chains lead into each other.
#[test]
fn no_number_reaches_beyond_its_list() {
    let executed = Cell::new(0);
    let mut accepted = 0u64;
    let mut numbers: Vec<Vec<u8>> = vec![vec![]];
    numbers.extend((0..=255).map(|byte| vec![byte]));
    for low in 0..=12 {
        for high in [0, 1, 0x80] {
            numbers.extend([
                vec![low, high],
                vec![low, 0, high],
                vec![low, 0, 0, high],
                vec![low, 0, 0, 0, high],
            ]);
        }
    }
    numbers.extend((6..=40).map(|size| vec![1; size]));
    for (count, width) in [(1, 3), (2, 3), (3, 3), (2, 4)] {
        let bits = checksum_bits(&vec![width; count]);
        let parameters = picked(&vec![width; count], &[bits as u8], count);
        // Chain k ends seven hashes further along one chain, so that its end is an element of the next one.
        let start = [9; 20];
        let ends: Vec<Element> = (1..=parameters.digits() as u32)
            .map(|chain| advance(&start, 64 + 7 * chain))
            .collect();
        let key = PublicKey::new(parameters.clone(), ends.clone()).unwrap();
        let laws = laws(&key, &executed);
        let law = &laws[0];
        for values in 0..1u32 << (3 * count) {
            // Values of the picks; flags clear. The checksum is whatever makes up for it, if it can.
            let mut digits: Vec<u8> = (0..count)
                .map(|digit| ((values >> (3 * digit) & 7) as u8) << (width - 3))
                .collect();
            let sum: u32 = digits.iter().map(|&digit| u32::from(digit)).sum();
            digits.push((parameters.total() - sum) as u8);
            let elements: Vec<Element> = (0..=count)
                .map(|digit| {
                    advance(
                        &start,
                        64 + 7 * (digit as u32 + 1) - u32::from(digits[digit]),
                    )
                })
                .collect();
            let honest = law.items(&digits, &elements);
            if values % 5 == 0 {
                accepted += u64::from(law.accepts(honest.clone()));
            }
            let picks: Vec<usize> = (0..honest.len())
                .filter(|&item| matches!(law.template.items[item], Item::Pick { .. }))
                .collect();
            let places: Vec<usize> = (0..honest.len())
                .filter(|&item| {
                    matches!(law.template.items[item], Item::Element { digit } if digit < count)
                })
                .collect();
            for &pick in &picks {
                for number in numbers
                    .iter()
                    .skip(usize::from(count > 2) * 9)
                    .step_by(if values == 0 || count == 1 { 1 } else { 17 })
                {
                    let mut witness = honest.clone();
                    witness[pick] = number.clone();
                    // As it is; shifted up and down by one with an end in the gap.
                    law.accepts(witness.clone());
                    for end in &ends[..count] {
                        for gap in 0..places.len() {
                            let mut shifted = witness.clone();
                            let mut items: Vec<Vec<u8>> =
                                places.iter().map(|&place| witness[place].clone()).collect();
                            for from in 0..items.len() {
                                items =
                                    places.iter().map(|&place| witness[place].clone()).collect();
                                items.remove(from);
                                items.insert(gap, end.to_vec());
                                for (place, item) in places.iter().zip(&items) {
                                    shifted[*place] = item.clone();
                                }
                                law.accepts(shifted.clone());
                            }
                        }
                    }
                }
            }
        }
    }
    println!(
        "{} witnesses, {accepted} honest ones accepted",
        executed.get()
    );
    println!("covered: {} witnesses against keys", executed.get());
}

/// The checksum must move with a forged number, too: every value of the checksum is tried against every out-of-range number, with every
/// element of the key's chains in every place.
#[test]
fn no_number_out_of_range_is_made_up_for_by_the_checksum() {
    let executed = Cell::new(0);
    let mut accepted = 0u64;
    let parameters = picked(&[3, 3], &[4], 2);
    let start = [9; 20];
    let ends: Vec<Element> = [7, 14, 29].map(|hashes| advance(&start, hashes)).to_vec();
    let key = PublicKey::new(parameters.clone(), ends.clone()).unwrap();
    let laws = laws(&key, &executed);
    let law = &laws[0];
    for first in 0..=16u8 {
        for second in 0..=16u8 {
            for checksum in 0..16u8 {
                for places in 0..16u32 * 16 {
                    let element = |place: u32| advance(&start, place);
                    let elements = vec![
                        element(places & 15),
                        element(places >> 4),
                        advance(&start, 29 - u32::from(checksum)),
                    ];
                    if (places & 15) > 14 || (places >> 4) > 14 {
                        continue;
                    }
                    let mut witness = law.items(&[0, 0, checksum], &elements);
                    let mut numbers = [first, second].into_iter();
                    for (item, kind) in witness.iter_mut().zip(&law.template.items).rev() {
                        if matches!(kind, Item::Pick { .. }) {
                            let number = numbers.next().expect("two numbers");
                            *item = if number == 0 { vec![] } else { vec![number] };
                        }
                    }
                    accepted += u64::from(law.accepts(witness));
                }
            }
        }
    }
    assert_eq!(accepted, 64, "one witness a message");
    println!(
        "covered: {} witnesses against keys; {accepted} accepted",
        executed.get()
    );
}
