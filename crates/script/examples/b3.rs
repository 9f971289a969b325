use tapcourt_script::gadgets::blake3 as b3;
use tapcourt_script::interpreter::{Rules, execute};
fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect(); let order = [args[0], args[1]];
    for (len, words) in [(64usize, 8usize), (64, 5), (40, 5), (24, 5)] {
        let c = b3::block(len, words, order).unwrap();
        println!("{len}B->{words}w script {} tables {} corrections {} stack {} offsets {:?}", c.script.len(), c.table_bytes, c.correction_bytes, c.max_stack, c.offsets);
        // message: first word on top, lowest nibble on top
        let msg: Vec<u8> = (0..len as u32).map(|i| (i * 37 + 11) as u8).collect();
        let mut stack = vec![];
        for w in msg.chunks(4).rev() {
            let w = u32::from_le_bytes(w.try_into().unwrap());
            for n in (0..8).rev() { let v = (w >> (4*n) & 15) as u8; stack.push(if v == 0 { vec![] } else { vec![v] }); }
        }
        {
            let flow = b3::LAST.take().unwrap();
            let ins: Vec<i64> = stack.iter().map(|b: &Vec<u8>| b.first().copied().unwrap_or(0) as i64).collect();
            let ev = flow.evaluate(&ins);
            let mut next = 0; let mut bad = 0;
            tapcourt_script::interpreter::execute_traced(&c.script, stack.clone(), None, Rules::Policy, &mut |st| {
                while next < c.made.len() && c.made[next].position <= st.position {
                    let m = c.made[next]; next += 1;
                    if m.position < st.position { continue; }
                    let top = tapcourt_script::decode_number(st.stack.last().unwrap().as_ref()).unwrap();
                    let want = ev[format!("{:?}", m.value)[6..].trim_end_matches(')').parse::<usize>().unwrap()].unwrap_or(-9999) + m.offset;
                    if top != want && bad < 5 { bad += 1; println!("  bad {m:?} top {top} want {want}"); }
                }
            });
        }
        if len == 64 && words == 8 {
            let mut counts = std::collections::BTreeMap::new();
            let ins: Vec<_> = tapcourt_script::instructions(&c.script).map(|i| i.unwrap()).collect();
            for w in ins.windows(2) {
                let b = w[1].opcode.to_u8();
                let a = w[0].opcode.to_u8();
                if b == 0x79 || b == 0x7a {
                    let pushed = if (0x51..=0x60).contains(&a) { 1 } else if a <= 0x4b && a > 0 { a as usize + 1 } else { 0 };
                    *counts.entry(format!("{}{}", if b == 0x79 { "PICK" } else { "ROLL" }, pushed + 1)).or_insert(0usize) += 1;
                } else { *counts.entry(tapcourt_script::opcodes::name(w[1].opcode).into_owned()).or_insert(0) += 1; }
            }
            println!("{counts:?}");
        }
        let e = execute(&c.script, stack, None, Rules::Policy);
        let hash = ref_blake3(&msg);
        let mut want: Vec<Vec<u8>> = vec![];
        for w in hash.chunks(4).take(words) { let w = u32::from_le_bytes(w.try_into().unwrap()); for n in 0..8 { let v = (w >> (4*n) & 15) as u8; want.push(if v == 0 { vec![] } else { vec![v] }); } }
        println!("  {:?} ok={} max {}", e.result.as_ref().err().map(|f| f.to_string()), e.stack == want, e.max_stack);
    }
}
fn ref_blake3(m: &[u8]) -> Vec<u8> { ::blake3::hash(m).as_bytes().to_vec() }
