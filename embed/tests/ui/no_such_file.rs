fn main() {
    let _ = vgdc_flow::include_flow!("nowhere.json");
}
