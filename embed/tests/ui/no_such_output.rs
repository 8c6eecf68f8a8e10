fn main() {
    let _ = vgdc_flow::flow! {
        let split = switch(payload > 1, else);
        program_in("in") -> split;
        split.2 -> program_out("out");
    };
}
