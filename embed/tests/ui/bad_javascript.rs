fn main() {
    let _ = vgdc_flow::flow! { program_in("in") -> function("return msg.payload +;") -> program_out("out"); };
}
