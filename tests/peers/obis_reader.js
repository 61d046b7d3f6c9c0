// Reads a meter once with npm's smartmeter-obis (MIT) and prints what it found: `node obis_reader.js PORT [ADDRESS]`.
"use strict";
const { init } = require("smartmeter-obis");

const reader = init(
  {
    protocol: "D0Protocol",
    protocolD0DeviceAddress: process.argv[3] || "",
    transport: "SerialRequestResponseTransport",
    transportSerialPort: process.argv[2],
    transportSerialBaudrate: 300,
    transportSerialDataBits: 7,
    transportSerialParity: "even",
    transportSerialStopBits: 1,
    requestInterval: -1,
    debug: 0,
  },
  (error, found) => {
    if (error) {
      console.error(String(error));
      process.exit(1);
    }
    const raw = Object.entries(found).map(([id, each]) => [id, each.getRawValue()]);
    console.log(JSON.stringify(Object.fromEntries(raw)));
  },
);
reader.process();
