// SOLAPI's own client for Node, unchanged but for its address: a group from its making to its end.
const { SolapiMessageService } = await import(`${process.env.PACKAGES}/node_modules/solapi/dist/index.mjs`);

const real = globalThis.fetch;
const asked = [];
globalThis.fetch = (address, options) => {
  const url = new URL(String(address));
  asked.push(`${(options && options.method) || "GET"} ${url.pathname.replace(/G4V\d+/, "G")}`);
  return real(process.env.SANDBOX_URL + url.pathname + url.search, options);
};
const tell = (value) => console.log(`TOLD ${JSON.stringify(value)}`);
const service = new SolapiMessageService(process.env.API_KEY, process.env.API_SECRET);

try {
  const group = await service.createGroup();
  const added = await service.addMessagesToGroup(group, [{
    to: process.argv[2],
    from: process.env.SENDER,
    kakaoOptions: {
      pfId: process.env.PF_ID,
      templateId: process.env.TEMPLATE,
      disableSms: true,
      variables: { 이름: "민수", 시간: "09:30" },
    },
  }]);
  const sent = await service.sendGroup(group);
  const again = await service.sendGroup(group).catch((error) => ({ status: error.errorCode || error._tag || error.name }));
  await new Promise((done) => setTimeout(done, 2500));
  const seen = await service.getGroup(group);
  const messages = await service.getGroupMessages(group);
  const listed = await service.getMessages({ groupId: group });
  tell({
    group,
    added: added.errorCount,
    sent: sent.status,
    again: again.status,
    seen: seen.status,
    messages: Object.values(messages.messageList).map((one) => one.statusCode),
    listed: Object.values(listed.messageList).map((one) => one.statusCode),
    asked,
  });
} catch (error) {
  tell({ error: String(error), asked });
}
