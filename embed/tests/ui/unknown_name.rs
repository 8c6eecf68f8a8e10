fn main() {
    let _ = vgdc_flow::flow! {
        let counter = function("return msg;");
        program_in("in") -> countr -> program_out("out");
    };
}
