fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> @std::env::args() -> program_out("out"); };
}
