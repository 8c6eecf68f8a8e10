fn main() {
    let _ = vgdc_flow::flow! {
        let limit = delay(timeot = "5", pauseType = "delay");
        program_in("in") -> limit -> program_out("out");
    };
}
