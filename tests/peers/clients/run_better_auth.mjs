// Logs in, asks for the user and refreshes by Better Auth's provider for Kakao.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { end, KAKAO_KEY, KAKAO_SECRET, KAKAO_URI, tell, visit } from "./script.mjs";

const folder = process.env.PACKAGES + "/node_modules/better-auth/dist/social-providers/index.mjs";
const { kakao } = await import(pathToFileURL(folder));

const provider = kakao({ clientId: KAKAO_KEY, clientSecret: KAKAO_SECRET });
const asked = { state: "a-state", redirectURI: KAKAO_URI };
const back = await visit(await provider.createAuthorizationURL(asked));
const code = back.searchParams.get("code");
const tokens = await provider.validateAuthorizationCode({ code, redirectURI: KAKAO_URI });
const { user } = await provider.getUserInfo(tokens);
tell([user.name, user.email, user.emailVerified]);
tell(Boolean((await provider.refreshAccessToken(tokens.refreshToken)).accessToken));
end();
