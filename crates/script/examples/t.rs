use tapcourt_script::gadgets::{blake3 as b3, nibble_items};
use tapcourt_script::interpreter::{Rules, execute};
fn main() {
    for (len, out) in [(64usize, 32usize), (64, 20), (40, 20), (24, 20), (1, 32), (3,20), (65, 32), (100, 32), (112, 32), (130,32)] {
        let t = std::time::Instant::now();
        match b3::hash(len, out) {
            Err(e) => println!("{len}: {e}"),
            Ok(g) => {
                let msg: Vec<u8> = (0..len as u32).map(|i| (i * 37 + 11) as u8).collect();
                let e = execute(g.script(), g.message_items(&msg), None, Rules::Policy);
                println!("{len}->{out}: {} stack {} {} tables {} ok={} {:?} {:?}", g.script().len(), g.max_stack(), e.max_stack, g.table_bytes(), e.stack == nibble_items(&blake3::hash(&msg).as_bytes()[..out]), e.result.err().map(|x| x.to_string()), t.elapsed());
            }
        }
    }
}
