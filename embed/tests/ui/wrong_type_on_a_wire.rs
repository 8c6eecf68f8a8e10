fn main() {
    let _ = vgdc_flow::flow! {
        program_in("in") -> |n: f64| -> Option<f64> { Some(n) } -> |text: String| -> usize { text.len() } -> program_out("out");
    };
}
