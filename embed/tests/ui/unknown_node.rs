fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> swich(payload, else) { 0 -> program_out("out") }; };
}
