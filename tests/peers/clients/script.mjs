// What every script here says to the test that runs it.
import { createInterface } from "node:readline";

export const { KAKAO_KEY, KAKAO_SECRET, KAKAO_URI } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const tell = (value) => console.log("TOLD " + JSON.stringify(value));

/** Lets a person agree at the address; returns where the browser is sent back to. */
export async function visit(address) {
  console.log("VISIT " + address);
  return new URL((await lines.next()).value);
}

export const end = () => process.exit(0);
