// Logs in and refreshes by Arctic; its scopes are parted by spaces.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { end, KAKAO_KEY, KAKAO_SECRET, KAKAO_URI, tell, visit } from "./script.mjs";

const folder = process.env.PACKAGES + "/node_modules/arctic/dist/index.js";
const { Kakao } = await import(pathToFileURL(folder));

const kakao = new Kakao(KAKAO_KEY, KAKAO_SECRET, KAKAO_URI);
const back = await visit(kakao.createAuthorizationURL("a-state", ["profile_nickname", "account_email"]));
const tokens = await kakao.validateAuthorizationCode(back.searchParams.get("code"));
tell(tokens.hasRefreshToken());
const renewed = await kakao.refreshAccessToken(tokens.refreshToken());
tell([renewed.tokenType(), renewed.hasRefreshToken()]);
end();
