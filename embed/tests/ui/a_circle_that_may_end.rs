fn main() {
    let _ = vgdc_flow::flow! {
        let check = switch(payload < 10, else);
        program_in("in") -> check;
        check.0 -> change(msg.payload = jsonata("payload + 1")) -> check;
        check.1 -> program_out("out");
    };
}
