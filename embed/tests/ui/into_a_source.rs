fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> inject(); };
}
