fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> |n| -> f64 { n } -> program_out("out"); };
}
