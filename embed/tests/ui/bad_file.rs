fn main() {
    let _ = vgdc_flow::include_flow!("tests/ui/bad_file.flow");
}
