// Logs in by passport-kakao: a strategy as passport itself drives it.
import { createRequire } from "node:module";
import { end, KAKAO_KEY, KAKAO_SECRET, KAKAO_URI, tell, visit } from "./script.mjs";

const require = createRequire(process.env.PACKAGES + "/");
const { Strategy } = require("passport-kakao");

const strategy = new Strategy(
  { clientID: KAKAO_KEY, clientSecret: KAKAO_SECRET, callbackURL: KAKAO_URI },
  (access, refresh, profile, done) => done(null, profile),
);

function authenticate(query, options) {
  return new Promise((resolve, reject) => {
    const one = Object.create(strategy);
    one.redirect = resolve;
    one.success = resolve;
    one.fail = (info) => reject(new Error(JSON.stringify(info)));
    one.error = reject;
    one.authenticate({ query, session: {}, headers: {} }, options);
  });
}

const back = await visit(await authenticate({}, { scope: ["profile_nickname", "account_email"] }));
const user = await authenticate({ code: back.searchParams.get("code") }, {});
tell([user.provider, user.id, user.username]);
end();
