// Logs in to a site by Auth.js: every request that its browser makes, on @auth/core itself.
import { pathToFileURL } from "node:url";
import { end, KAKAO_KEY, KAKAO_SECRET, tell, visit } from "./script.mjs";

const folder = process.env.PACKAGES + "/node_modules/@auth/core/";
const { Auth } = await import(pathToFileURL(folder + "index.js"));
const { default: Kakao } = await import(pathToFileURL(folder + "providers/kakao.js"));

const SITE = "http://127.0.0.1:8000/auth";
const config = {
  providers: [Kakao({ clientId: KAKAO_KEY, clientSecret: KAKAO_SECRET })],
  secret: "x".repeat(32),
  trustHost: true,
  basePath: "/auth",
};
const cookies = new Map();

async function ask(address, form) {
  const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
  const body = form && new URLSearchParams(form);
  const method = form ? "POST" : "GET";
  const answer = await Auth(new Request(address, { method, headers, body }), config);
  for (const line of answer.headers.getSetCookie()) {
    const [name, ...value] = line.split(";")[0].split("=");
    cookies.set(name, value.join("="));
  }
  return answer;
}

const { csrfToken } = await (await ask(SITE + "/csrf")).json();
const start = await ask(SITE + "/signin/kakao", { csrfToken, callbackUrl: SITE });
const back = await visit(start.headers.get("location"));
await ask(back);
tell((await (await ask(SITE + "/session")).json()).user);
end();
