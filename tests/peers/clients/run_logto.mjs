// Logs in by Logto's connector for Kakao, as Logto's core drives a connector.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { end, KAKAO_KEY, KAKAO_SECRET, KAKAO_URI, tell, visit } from "./script.mjs";

const require = createRequire(process.env.PACKAGES + "/");
const { default: create } = await import(pathToFileURL(require.resolve("@logto/connector-kakao")));

const getConfig = async () => ({ clientId: KAKAO_KEY, clientSecret: KAKAO_SECRET });
const connector = await create({ getConfig });
const asked = { state: "a-state", redirectUri: KAKAO_URI };
const back = await visit(await connector.getAuthorizationUri(asked, async () => {}));
const code = back.searchParams.get("code");
const user = await connector.getUserInfo({ code, redirectUri: KAKAO_URI }, async () => {});
tell([user.id, user.email, user.name]);
end();
