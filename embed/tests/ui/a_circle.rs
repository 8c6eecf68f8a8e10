fn main() {
    let _ = vgdc_flow::flow! {
        let a = change(msg.payload = 1);
        let b = change(msg.payload = 2);
        program_in("in") -> a -> b -> a;
    };
}
