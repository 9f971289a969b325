//! A model of both stacks, which writes opcodes as it moves values about.

use bitcoin::Opcode;

use super::offsets::Affine;
use super::{Effort, Linear, Sign, Value};
use crate::ScriptWriter;
use crate::opcodes::*;

/// A piece of a script that is not finished while the offsets of tables are not known.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Opcodes and pushes.
    Code(Vec<u8>),
    /// Adds this to the top item.
    Correct(Affine),
    /// Pushes this.
    Push(Affine),
    /// Sets up the tables.
    Tables,
    /// Here, this value has just been put on the stack, this deep.
    Made(Value, usize),
}

/// What lies in a place of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Value(Value),
    /// An item of the tables.
    Table,
    /// The number at work.
    Working,
    /// There for the height only.
    Padding,
}

/// Both stacks, and the script so far.
pub(crate) struct Machine {
    effort: Effort,
    main: Vec<Item>,
    alt: Vec<Value>,
    /// Results that have gone to the altstack for good.
    finished: usize,
    /// Items below the tables.
    below_tables: usize,
    /// For each value, its uses that are still to come.
    uses: Vec<u32>,
    /// For each value, its number less its logical number.
    pub(crate) offsets: Vec<Affine>,
    pub(crate) pieces: Vec<Piece>,
    /// Most items on both stacks between pieces.
    pub(crate) max_stack: usize,
    /// Most items above the tables where the height was to be aligned, before padding.
    pub(crate) highest_aligned: usize,
}

impl Machine {
    pub(crate) fn new(uses: Vec<u32>, effort: Effort) -> Self {
        Self {
            effort,
            main: Vec::new(),
            alt: Vec::new(),
            finished: 0,
            below_tables: 0,
            offsets: vec![Affine::default(); uses.len()],
            uses,
            pieces: Vec::new(),
            max_stack: 0,
            highest_aligned: 0,
        }
    }

    /// Puts values on the stack that are there without our doing.
    pub(crate) fn place(&mut self, values: &[Value]) {
        self.main
            .extend(values.iter().map(|&value| Item::Value(value)));
        self.note_height(0);
    }

    /// Puts values on the altstack that are there without our doing.
    pub(crate) fn place_aside(&mut self, values: &[Value]) {
        self.alt.extend_from_slice(values);
        self.note_height(0);
    }

    /// Sets up the tables.
    pub(crate) fn place_tables(&mut self, items: usize, write: bool) {
        self.below_tables = self.main.len();
        self.main.extend(std::iter::repeat_n(Item::Table, items));
        if write {
            self.pieces.push(Piece::Tables);
        }
        self.note_height(0);
    }

    /// Items on the stack.
    pub(crate) fn height(&self) -> usize {
        self.main.len()
    }

    /// Whether nothing waits on the altstack.
    pub(crate) fn altstack_is_empty(&self) -> bool {
        self.alt.is_empty()
    }

    /// Whether the altstack holds just these values as they are, the first one on top.
    pub(crate) fn altstack_is(&self, outputs: &[Linear]) -> bool {
        self.alt.len() == outputs.len()
            && self.alt.iter().rev().zip(outputs).all(|(&value, output)| {
                *output == Linear::from(value)
                    && self.offsets[value.0 as usize] == Affine::default() // cast ok: an index
            })
    }

    pub(crate) fn note_height(&mut self, extra: usize) {
        let items = self.main.len() + self.alt.len() + self.finished + extra;
        self.max_stack = self.max_stack.max(items);
    }

    fn write(&mut self, write: impl FnOnce(&mut ScriptWriter)) {
        let mut writer = ScriptWriter::new();
        write(&mut writer);
        self.raw(writer.as_script().as_bytes());
    }

    fn raw(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Code(code)) => code.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Code(bytes.to_vec())),
        }
    }

    pub(crate) fn op(&mut self, opcode: Opcode) {
        self.raw(&[opcode.to_u8()]);
    }

    /// Pushes bytes.
    pub(crate) fn push_data(&mut self, bytes: &[u8]) {
        self.write(|writer| {
            writer.data(bytes);
        });
        self.main.push(Item::Working);
        self.note_height(0);
    }

    /// Pushes a number that depends on the offsets.
    pub(crate) fn push_number(&mut self, number: Affine) {
        self.pieces.push(Piece::Push(number));
        self.main.push(Item::Working);
        self.note_height(0);
    }

    /// How deep a value lies; 0 is the top.
    fn depth(&self, value: Value) -> Option<usize> {
        self.main
            .iter()
            .rev()
            .position(|&item| item == Item::Value(value))
    }

    /// Brings values that wait on the altstack, and all that lies above them there, to the stack.
    pub(crate) fn bring_from_alt(&mut self, value: Value) {
        while self.depth(value).is_none() {
            let top = self
                .alt
                .pop()
                .expect("a value that is still used lies on one of the stacks");
            self.main.push(Item::Value(top));
            self.op(OP_FROMALTSTACK);
        }
    }

    /// Uses a value: leaves it on top, as the number at work. `below` is whether a number at work lies on top, to which it will be added: then
    /// a value right below may stay there.
    fn fetch(&mut self, value: Value, add_to_working: bool) {
        let index = value.0 as usize; // cast ok: an index
        let depth = self
            .depth(value)
            .expect("brought to the stack before it is fetched");
        assert!(self.uses[index] > 0, "every use is counted");
        self.uses[index] -= 1;
        let place = self.main.len() - 1 - depth;
        if self.uses[index] > 0 {
            self.copy(depth);
            self.main.push(Item::Working);
        } else {
            self.main.remove(place);
            self.below_tables -= usize::from(place < self.below_tables);
            if !(add_to_working && depth == 1) {
                self.roll(depth);
            }
            self.main.push(Item::Working);
        }
        self.note_height(1);
    }

    fn copy(&mut self, depth: usize) {
        match depth {
            0 => self.op(OP_DUP),
            1 => self.op(OP_OVER),
            _ => self.write(|writer| {
                writer.int(depth as i64).op(OP_PICK); // cast ok: at most 1,000
            }),
        }
    }

    fn roll(&mut self, depth: usize) {
        match depth {
            0 => {}
            1 => self.op(OP_SWAP),
            2 => self.op(OP_ROT),
            _ => self.write(|writer| {
                writer.int(depth as i64).op(OP_ROLL); // cast ok: at most 1,000
            }),
        }
    }

    /// Bytes of fetching terms in this order.
    fn cost(&self, order: &[(Value, usize)]) -> usize {
        // Depths as they are now; what has been taken away since, and the number at work, shift them.
        let mut taken: [usize; 16] = [usize::MAX; 16];
        let mut taken_len = 0;
        let mut bytes = 0;
        for (step, &(value, depth)) in order.iter().enumerate() {
            let later = order[step + 1..]
                .iter()
                .filter(|(other, _)| *other == value)
                .count() as u32; // cast ok: a handful
            let earlier = order[..step]
                .iter()
                .filter(|(other, _)| *other == value)
                .count() as u32; // cast ok: a handful
            let last = self.uses[value.0 as usize] == earlier + 1; // cast ok: an index
            debug_assert!(!last || later == 0);
            let removed = taken[..taken_len].iter().filter(|&&d| d < depth).count();
            let now = depth - removed + usize::from(step > 0);
            bytes += match (now, last) {
                (0, false) => 1,
                (1, false) => 1,
                (0, true) => 0,
                (1, true) => usize::from(step == 0),
                (2, true) => 1,
                (3..=16, _) | (2, false) => 2,
                (17..=127, _) => 3,
                _ => 4,
            };
            if last {
                taken[taken_len] = depth;
                taken_len += 1;
            }
        }
        bytes
    }

    /// Leaves the logical sum on top as the number at work.
    pub(crate) fn linear(&mut self, sum: &Linear) {
        let residual = self.gather(sum);
        self.correct(sum, residual);
    }

    /// Leaves on top, as the number at work, how deep the entry lies that a sum indexes in a table whose entry 0 is the item `origin` of all tables.
    pub(crate) fn index(&mut self, sum: &Linear, origin: i64) {
        let mut residual = self.gather(sum);
        let height = self.main.len() - usize::from(!sum.terms.is_empty());
        let above = height as i64 - self.below_tables as i64; // cast ok: at most 1,000
        residual.constant += above - 1 - origin;
        self.correct(sum, residual);
    }

    fn correct(&mut self, sum: &Linear, residual: Affine) {
        if sum.terms.is_empty() {
            self.push_number(residual);
        } else if residual != Affine::default() {
            self.pieces.push(Piece::Correct(residual));
        }
        self.note_height(1);
    }

    /// Leaves a sum on top as the number at work, corrected by its constant and by what it is to be `like`. Says by how much it differs from the
    /// logical sum.
    ///
    /// # Panics
    /// If the sum has no terms.
    pub(crate) fn sum(&mut self, sum: &Linear, like: &Affine) -> Affine {
        assert!(!sum.terms.is_empty(), "a constant is no step");
        let mut correction = *like;
        correction.constant += sum.constant;
        let mut difference = correction;
        difference.subtract(&self.gather(sum), 1);
        if correction != Affine::default() {
            self.pieces.push(Piece::Correct(correction));
        }
        difference
    }

    /// Leaves a sum on top as the number at work, so that a copy of it indexes a table whose entry 0 is the item `origin` of all tables. Says by how
    /// much it differs from the logical sum.
    pub(crate) fn indexing_sum(&mut self, sum: &Linear, origin: i64) -> Affine {
        let mut correction = self.gather(sum);
        let above = self.main.len() as i64 - self.below_tables as i64; // cast ok: at most 1,000
        let offset = Affine {
            constant: above - 1 - origin,
            ..Affine::default()
        };
        correction.subtract(&offset, -1);
        self.correct(sum, correction);
        offset
    }

    /// Leaves logical numbers on top as the numbers at work, the last one on top. Those that lie in place already stay there; those that wait on the
    /// altstack are brought one by one, since only the top item can be corrected. Two that may come in either order begin with the one on top.
    pub(crate) fn arrange(&mut self, arguments: &[Linear], either_order: bool) {
        if let (true, [first, second]) = (either_order, arguments)
            && self.is_last_on_top(second)
            && !self.lie_on_top(arguments)
        {
            return self.arrange(&[second.clone(), first.clone()], false);
        }
        if !self.come_one_by_one(arguments) {
            for (value, _) in arguments.iter().flat_map(|argument| &argument.terms) {
                self.bring_from_alt(*value);
            }
        }
        let in_place = (1..=arguments.len())
            .rev()
            .find(|&count| self.lie_on_top(&arguments[..count]))
            .unwrap_or(0);
        let first = self.main.len() - in_place;
        for item in &mut self.main[first..] {
            if let Item::Value(value) = *item {
                self.uses[value.0 as usize] -= 1; // cast ok: an index
            }
            *item = Item::Working;
        }
        for argument in &arguments[in_place..] {
            self.linear(argument);
        }
    }

    /// Whether those terms that wait on the altstack lie there in the order in which they are used, so that nothing else comes along and is put on
    /// top of arguments that are in place.
    fn come_one_by_one(&self, arguments: &[Linear]) -> bool {
        let mut waiting = self.alt.iter().rev();
        arguments
            .iter()
            .flat_map(|argument| &argument.terms)
            .all(|&(value, _)| {
                // A copy would leave the value itself among the arguments.
                let last = self.uses[value.0 as usize] == 1; // cast ok: an index
                self.depth(value).is_some() || last && waiting.next() == Some(&value)
            })
    }

    /// Whether a number is the topmost value, but for a correction, and used for the last time.
    fn is_last_on_top(&self, number: &Linear) -> bool {
        matches!(
            (self.main.last(), &number.terms[..]),
            (Some(&Item::Value(top)), &[(value, Sign::Plus)])
                if top == value && self.uses[value.0 as usize] == 1 // cast ok: an index
        )
    }

    /// All places where a number may have to be corrected.
    pub(crate) fn slots(&self) -> Vec<Affine> {
        let slots = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Correct(slot) => Some(*slot),
            _ => None,
        });
        slots.collect()
    }

    /// Whether these numbers, in this order, are the topmost items, and nobody else uses them.
    fn lie_on_top(&self, arguments: &[Linear]) -> bool {
        let Some(first) = self.main.len().checked_sub(arguments.len()) else {
            return false;
        };
        self.main[first..]
            .iter()
            .zip(arguments)
            .all(|(item, argument)| {
                matches!(*item, Item::Value(value)
                if *argument == Linear::from(value)
                    && self.uses[value.0 as usize] == 1 // cast ok: an index
                    && self.offsets[value.0 as usize] == Affine::default())
            })
    }

    /// Writes opcodes that hold up to `peak` items more than there are.
    pub(crate) fn code(&mut self, code: &[u8], peak: usize) {
        self.raw(code);
        self.note_height(peak);
    }

    /// Pushes items that nobody uses.
    pub(crate) fn pad(&mut self, items: usize) {
        let mut left = items;
        while left > 0 {
            let padding = self
                .main
                .iter()
                .rev()
                .take_while(|&&item| item == Item::Padding)
                .count();
            let (opcode, pushed) = match (padding, left) {
                (3.., 3..) => (OP_3DUP, 3),
                (2.., 2..) => (OP_2DUP, 2),
                (1.., _) => (OP_DUP, 1),
                _ => (OP_0, 1),
            };
            self.op(opcode);
            self.main.extend(std::iter::repeat_n(Item::Padding, pushed));
            left -= pushed;
        }
        self.note_height(0);
    }

    /// Takes the topmost unused item away, if there is one.
    pub(crate) fn unpad(&mut self) {
        let depth = self
            .main
            .iter()
            .rev()
            .position(|&item| item == Item::Padding);
        if let Some(depth) = depth {
            self.remove(depth);
        }
    }

    /// Takes a value away of which this is the last use.
    pub(crate) fn discard(&mut self, value: Value) {
        let index = value.0 as usize; // cast ok: an index
        self.bring_from_alt(value);
        let depth = self.depth(value).expect("brought to the stack before");
        assert_eq!(self.uses[index], 1, "a value is taken away after all uses");
        self.uses[index] = 0;
        self.remove(depth);
    }

    /// Takes away those of the values that have been made and that nothing else uses, and all padding: first what lies on top.
    pub(crate) fn discard_all(&mut self, values: &[Value]) {
        for &value in values {
            self.uses[value.0 as usize] -= 1; // cast ok: an index
        }
        let is_over = |machine: &Self, item: Item| match item {
            Item::Value(value) => values.contains(&value) && !machine.is_used(value),
            Item::Padding => true,
            Item::Table | Item::Working => false,
        };
        let mut drops = 0;
        while let Some(&item) = self.main.last() {
            if !is_over(self, item) {
                break;
            }
            self.main.pop();
            drops += 1;
        }
        for _ in 0..drops / 2 {
            self.op(OP_2DROP);
        }
        if drops % 2 == 1 {
            self.op(OP_DROP);
        }
        while let Some(depth) = (self.main.iter().rev()).position(|&item| is_over(self, item)) {
            self.remove(depth);
        }
    }

    /// Brings the items above the tables, which have so many, to a number.
    pub(crate) fn align(&mut self, table_items: usize, items: usize) {
        let above = self.main.len() - self.below_tables - table_items;
        self.highest_aligned = self.highest_aligned.max(above);
        self.pad(items.saturating_sub(above));
    }

    /// Removes the item that lies so deep.
    fn remove(&mut self, depth: usize) {
        let place = self.main.len() - 1 - depth;
        self.main.remove(place);
        self.below_tables -= usize::from(place < self.below_tables);
        match depth {
            1 => self.op(OP_NIP),
            _ => {
                self.roll(depth);
                self.op(OP_DROP);
            }
        }
    }

    /// Adds up the terms as they are. Returns what would have to be added for the logical sum.
    fn gather(&mut self, sum: &Linear) -> Affine {
        for &(value, _) in &sum.terms {
            self.bring_from_alt(value);
        }
        let mut missing = Affine {
            constant: sum.constant,
            ..Affine::default()
        };
        for &(value, sign) in &sum.terms {
            let factor = match sign {
                Sign::Plus => 1,
                Sign::Minus => -1,
            };
            missing.subtract(&self.offsets[value.0 as usize], factor); // cast ok: an index
        }
        // A value that is added twice is fetched once and doubled.
        let mut distinct: Vec<(Value, Sign)> = Vec::with_capacity(sum.terms.len());
        let mut doubled: Vec<(Value, Sign)> = Vec::new();
        for &term in &sum.terms {
            if distinct.contains(&term) && !doubled.contains(&term) {
                doubled.push(term);
                self.uses[term.0.0 as usize] -= 1; // cast ok: an index
            } else {
                distinct.push(term);
            }
        }
        if self.effort == Effort::Full && self.tuck(&distinct, &doubled) {
            return missing;
        }
        let order = match self.effort {
            Effort::Full => self.cheapest_order(&distinct),
            Effort::AsWritten => distinct,
        };
        for (position, &(value, sign)) in order.iter().enumerate() {
            let double = doubled.contains(&(value, sign));
            self.fetch(value, position > 0 && sign == Sign::Plus && !double);
            if double {
                doubled.retain(|&term| term != (value, sign));
                self.op(OP_DUP);
                self.op(OP_ADD);
            }
            if position > 0 {
                self.op(match sign {
                    Sign::Plus => OP_ADD,
                    Sign::Minus => OP_SUB,
                });
                self.main.pop();
            } else if sign == Sign::Minus {
                self.op(OP_NEGATE);
            }
        }
        missing
    }

    /// Adds two values of which the top one is kept and the one below it is not, by `OP_TUCK OP_ADD`, if that is the case.
    fn tuck(&mut self, terms: &[(Value, Sign)], doubled: &[(Value, Sign)]) -> bool {
        let &[(a, Sign::Plus), (b, Sign::Plus)] = terms else {
            return false;
        };
        let &[.., Item::Value(below), Item::Value(top)] = self.main.as_slice() else {
            return false;
        };
        let uses = |value: Value| self.uses[value.0 as usize]; // cast ok: an index
        if !doubled.is_empty()
            || ((a, b) != (top, below) && (b, a) != (top, below))
            || uses(top) < 2
            || uses(below) != 1
        {
            return false;
        }
        self.uses[top.0 as usize] -= 1; // cast ok: an index
        self.uses[below.0 as usize] -= 1; // cast ok: an index
        self.op(OP_TUCK);
        self.op(OP_ADD);
        let place = self.main.len() - 2;
        self.main.remove(place);
        self.main.push(Item::Working);
        self.note_height(1);
        true
    }

    /// The order of terms that takes the fewest bytes: an added one first, if there is one.
    fn cheapest_order(&self, terms: &[(Value, Sign)]) -> Vec<(Value, Sign)> {
        if terms.len() < 2 {
            return terms.to_vec();
        }
        let mut depths: Vec<(Value, usize, Sign)> = terms
            .iter()
            .map(|&(value, sign)| {
                let depth = self.depth(value).expect("brought to the stack before");
                (value, depth, sign)
            })
            .collect();
        depths.sort_by_key(|&(value, depth, _)| (depth, value));
        if depths.len() > 5 {
            depths.sort_by_key(|&(value, depth, sign)| (sign == Sign::Minus, depth, value));
            return depths
                .iter()
                .map(|&(value, _, sign)| (value, sign))
                .collect();
        }
        let mut best: Option<(usize, Vec<(Value, Sign)>)> = None;
        let mut order: Vec<usize> = (0..depths.len()).collect();
        let mut chosen: Vec<(Value, usize)> = Vec::with_capacity(depths.len());
        permutations(&mut order, 0, &mut |order| {
            chosen.clear();
            chosen.extend(order.iter().map(|&term| (depths[term].0, depths[term].1)));
            let negations = order
                .iter()
                .enumerate()
                .map(|(position, &term)| {
                    usize::from(position == 0 && depths[term].2 == Sign::Minus)
                })
                .sum::<usize>();
            let bytes = self.cost(&chosen) + negations;
            if best.as_ref().is_none_or(|(known, _)| bytes < *known) {
                let order = order
                    .iter()
                    .map(|&term| (depths[term].0, depths[term].2))
                    .collect();
                best = Some((bytes, order));
            }
        });
        best.map(|(_, order)| order).unwrap_or_default()
    }

    /// Takes `count` numbers at work from the top, which an opcode has consumed.
    pub(crate) fn consume(&mut self, count: usize) {
        for _ in 0..count {
            let item = self.main.pop();
            debug_assert_eq!(
                item,
                Some(Item::Working),
                "only numbers at work are consumed"
            );
        }
    }

    /// Puts results on top that an opcode has left there.
    pub(crate) fn produce(&mut self, value: Value, offset: Affine, depth: usize) {
        self.offsets[value.0 as usize] = offset; // cast ok: an index
        self.pieces.push(Piece::Made(value, depth));
        self.main.push(Item::Value(value));
        self.note_height(0);
    }

    /// Whether a value is still used.
    pub(crate) fn is_used(&self, value: Value) -> bool {
        self.uses[value.0 as usize] > 0 // cast ok: an index
    }

    /// Drops the top value.
    pub(crate) fn drop_top(&mut self) {
        self.main.pop();
        self.op(OP_DROP);
    }

    /// Moves the top value to the altstack.
    pub(crate) fn top_to_alt(&mut self) {
        match self.main.pop() {
            Some(Item::Value(value)) => self.alt.push(value),
            item => unreachable!("{item:?} is no value"),
        }
        self.op(OP_TOALTSTACK);
    }

    /// Moves the number at work to the altstack, to stay there until the end.
    pub(crate) fn result_to_alt(&mut self) {
        self.main.pop();
        self.finished += 1;
        self.op(OP_TOALTSTACK);
    }

    /// Drops all but the lowest `keep` items of the stack.
    pub(crate) fn drop_to(&mut self, keep: usize) {
        let mut drops = self.main.len() - keep;
        while drops >= 2 {
            self.op(OP_2DROP);
            drops -= 2;
        }
        if drops == 1 {
            self.op(OP_DROP);
        }
        self.main.truncate(keep);
    }
}

/// Calls `visit` with every permutation.
fn permutations(items: &mut [usize], fixed: usize, visit: &mut dyn FnMut(&[usize])) {
    if fixed >= items.len() {
        visit(items);
        return;
    }
    for choice in fixed..items.len() {
        items[fixed..=choice].rotate_right(1);
        permutations(items, fixed + 1, visit);
        items[fixed..=choice].rotate_left(1);
    }
}
