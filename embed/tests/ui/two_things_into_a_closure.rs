fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> |a: f64, b: f64| -> f64 { a + b } -> program_out("out"); };
}
