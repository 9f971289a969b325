//! Finds the order of the eight interleaved tables of SHA-256 that costs the fewest corrections, by trying all of them.
//!
//! `cargo run --release -p tapcourt-script --example sha256_table_order` prints the order that `gadgets::sha256` uses. A table is read for free at one stack
//! height, for one byte at the two next to it, for two bytes elsewhere. The heights at which a compression reads them, relative to
//! the start of a column, are listed below with how often.

/// What a rotation by `4k + s` bits takes from the lower and from the upper nibble, for `s` of 1 to 3; then the two other forms.
const TABLES: [&str; 8] = [
    "1 low", "1 high", "2 low", "2 high", "3 low", "3 high", "ternary", "even",
];
const TERNARY: usize = 6;
const EVEN: usize = 7;

/// Look-ups at one height: table, height, how many in a compression.
const SINGLE: [(usize, i64, u32); 5] = [
    (EVEN, -1, 2 * 512),
    (EVEN, 0, 512),
    (EVEN, 0, 2 * 384),
    (TERNARY, -1, 512),
    (TERNARY, -1, 512),
];

/// Three moves whose parts are read at six consecutive heights from here: their bits modulo 4, and how many in a compression.
const MOVES: [([usize; 3], i64, u32); 4] = [
    ([2, 3, 1], 1, 512),
    ([2, 1, 2], 0, 512),
    ([1, 3, 2], 1, 384),
    ([3, 2, 3], 2, 384),
];

fn correction(height: i64, slot: i64) -> u32 {
    (height - slot).unsigned_abs().min(2) as u32 // cast ok: at most 2
}

/// Fewest bytes of reading the parts of one move first, then those of the other two in any order.
fn moves_cost(slots: &[i64; 8], moves: [usize; 3], base: i64) -> u32 {
    let parts = |bits: usize| [2 * (bits - 1), 2 * (bits - 1) + 1];
    let mut best = u32::MAX;
    for third in 0..3 {
        let [a, b] = parts(moves[third]);
        let first =
            |x: usize, y: usize| correction(base, slots[x]) + correction(base + 1, slots[y]);
        let others: Vec<usize> = (0..3)
            .filter(|&index| index != third)
            .flat_map(|index| parts(moves[index]))
            .collect();
        let mut rest = u32::MAX;
        permutations(&mut others.clone(), 0, &mut |order| {
            let heights = base + 2..;
            let bytes = order
                .iter()
                .zip(heights)
                .map(|(&part, height)| correction(height, slots[part]));
            rest = rest.min(bytes.sum());
        });
        best = best.min(first(a, b).min(first(b, a)) + rest);
    }
    best
}

fn permutations(items: &mut [usize], fixed: usize, visit: &mut dyn FnMut(&[usize])) {
    if fixed == items.len() {
        visit(items);
        return;
    }
    for choice in fixed..items.len() {
        items.swap(fixed, choice);
        permutations(items, fixed + 1, visit);
        items.swap(fixed, choice);
    }
}

fn main() {
    let mut best = (u32::MAX, [0; 8]);
    permutations(&mut (0..8).collect::<Vec<_>>(), 0, &mut |order| {
        for base in -3..=0 {
            let slots: [i64; 8] = std::array::from_fn(|table| order[table] as i64 + base); // cast ok: below 8
            let single =
                SINGLE.map(|(table, height, count)| count * correction(height, slots[table]));
            let mut bytes = single.iter().sum::<u32>();
            for (moves, height, count) in MOVES {
                if bytes < best.0 {
                    bytes += count * moves_cost(&slots, moves, height);
                }
            }
            best = best.min((bytes, slots));
        }
    });
    let (bytes, slots) = best;
    let mut order: Vec<usize> = (0..8).collect();
    order.sort_by_key(|&table| slots[table]);
    let names: Vec<&str> = order.iter().map(|&table| TABLES[table]).collect();
    println!("{}: {bytes} bytes of corrections", names.join(", "));
}
