fn main() {
    let _ = vgdc_flow::flow! {
        program_in("in") -> ;
        program_in("second") => program_out("out");
    };
}
