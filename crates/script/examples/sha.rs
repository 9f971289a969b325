use tapcourt_script::gadgets::sha256;
use tapcourt_script::interpreter::{Rules, execute};
fn main() {
    let t = std::time::Instant::now();
    let (c, _) = sha256::block().unwrap();
    println!("script {} tables {} corrections {} stack {} offsets {:?} {:?}", c.script.len(), c.table_bytes, c.correction_bytes, c.max_stack, c.offsets, t.elapsed());
    let msg: Vec<u8> = (0..64u32).map(|i| (i * 37 + 11) as u8).collect();
    let mut stack = vec![];
    for w in msg.chunks(4).rev() {
        let w = u32::from_be_bytes(w.try_into().unwrap());
        for n in (0..8).rev() { let v = (w >> (4*n) & 15) as u8; stack.push(if v == 0 { vec![] } else { vec![v] }); }
    }
    let e = execute(&c.script, stack, None, Rules::Policy);
    let mut state: [u32; 8] = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    let block: [u8; 64] = msg.try_into().unwrap();
    sha2::compress256(&mut state, &[block.into()]);
    let mut want = vec![];
    for w in state { for n in 0..8 { want.push(8 * (w >> (4 * n) & 15) as i64); } }
    let got: Vec<i64> = e.stack.iter().map(|b| tapcourt_script::decode_number(b).unwrap()).collect();
    println!("{:?} ok={} max {}", e.result.as_ref().err().map(|f| f.to_string()), got == want, e.max_stack);
}
