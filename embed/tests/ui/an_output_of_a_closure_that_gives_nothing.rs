fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> |n: f64| { println!("{n}") } -> program_out("out"); };
}
