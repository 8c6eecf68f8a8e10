fn main() {
    let _ = vgdc_flow::flow! {
        let broker = mqtt_broker(port = 1883);
        mqtt_in(topic = "sensors/+") -> mqtt_out(broker = broker);
    };
}
