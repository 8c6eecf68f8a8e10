fn main() {
    let _ = vgdc_flow::flow! { inject() -> http_response("200"); };
}
