// Drives the official Node SDK through all its operations; prints what failed, as JSON.
//
// Run by scripts/peers.py, in a folder that has the SDK.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'driver.js'));
const { SinchClient } = require('@sinch/sdk-core');
const url = process.env.SANDBOX_URL;
const calls = [];
const sms = [{ channel: 'SMS', identity: '+46700000001' }];
const line = [{ channel: 'LINE', identity: 'U1' }];
const bearer = [{ channel: 'SMS', static_bearer: { claimed_identity: 'me', token: 't' } }];
const past = new Date(Date.now() - 60_000);

const conversation = new SinchClient({
  projectId: 'sandbox-project',
  keyId: 'sandbox-key',
  keySecret: 'sandbox-secret',
  authHostname: `${url}/auth`,
  conversationHostname: `${url}/conversation`,
  conversationTemplatesHostname: `${url}/template`,
  conversationRegion: 'us',
}).conversation;

// Call part.method with *data* and note how it went; lists are read to their end.
async function call(part, method, data) {
  const name = `${part}.${method}`;
  try {
    const result = conversation[part][method](data);
    if (result?.[Symbol.asyncIterator]) {
      for await (const each of result) void each;
    }
    const value = await result;
    calls.push([name, '']);
    return value;
  } catch (error) {
    calls.push([name, String(error?.message ?? error).slice(0, 300)]);
    return { id: 'missing', message_id: 'missing', event_id: 'missing' };
  }
}

async function driveApps() {
  const body = { display_name: 'all', channel_credentials: bearer, processing_mode: 'CONVERSATION' };
  const app = await call('app', 'create', { appCreateRequestBody: body });
  await call('app', 'get', { app_id: app.id });
  await call('app', 'list', {});
  const changed = { display_name: 'changed', smart_conversation: null };
  await call('app', 'update', { app_id: app.id, appUpdateRequestBody: changed });
  // What was read is written back.
  await call('app', 'update', {
    app_id: app.id,
    appUpdateRequestBody: { ...(await call('app', 'get', { app_id: app.id })) },
    update_mask: ['display_name'],
  });
  const spare = await call('app', 'create', { appCreateRequestBody: body });
  await call('app', 'delete', { app_id: spare.id });
  const other = await call('app', 'create', { appCreateRequestBody: body });
  return { app: app.id, other: other.id };
}

async function driveContacts(ids) {
  const create = (fields) =>
    call('contact', 'create', { contactCreateRequestBody: { language: 'EN', ...fields } });
  const made = await create({ channel_identities: sms });
  const other = await create({ channel_identities: line, email: null, channel_priority: ['LINE'] });
  const identified = { identified_by: { channel_identities: line } };
  await call('contact', 'get', { contact_id: made.id });
  await call('contact', 'list', { page_size: 1 });
  await call('contact', 'list', { channel: 'SMS', identity: '+46700000001' });
  await call('contact', 'listIdentityConflicts', { page_size: 1 });
  for (const recipient of [{ contact_id: other.id }, identified]) {
    await call('contact', 'getChannelProfile', {
      getChannelProfileRequestBody: { app_id: ids.app, channel: 'LINE', recipient },
    });
  }
  await call('contact', 'update', {
    contact_id: made.id,
    updateContactRequestBody: { display_name: 'Ada', email: null },
    update_mask: ['display_name', 'email'],
  });
  await call('contact', 'mergeContact', {
    destination_id: made.id,
    mergeContactRequestBody: { source_id: other.id },
  });
  const spare = await create({ channel_identities: sms });
  await call('contact', 'delete', { contact_id: spare.id });
  return made.id;
}

const choiceReply = { text_message: { text: 'Yes' }, postback_data: 'y' };
const messages = {
  sendTextMessage: { text_message: { text: 'Hi' } },
  sendCardMessage: { card_message: { title: 'Offer', description: 'Half price' } },
  sendCarouselMessage: { carousel_message: { cards: [{ title: 'One' }] } },
  sendChoiceMessage: {
    choice_message: { text_message: { text: 'Well?' }, choices: [choiceReply] },
  },
  sendContactInfoMessage: {
    contact_info_message: {
      name: { full_name: 'Ada' },
      phone_numbers: [{ phone_number: '+46700000002' }],
    },
  },
  sendListMessage: {
    list_message: {
      title: 'Menu',
      sections: [{ title: 'A', items: [{ choice: { title: 'x', postback_data: 'x' } }] }],
    },
  },
  sendLocationMessage: {
    location_message: { title: 'Here', coordinates: { latitude: 59.3, longitude: 18.0 } },
  },
  sendMediaMessage: { media_message: { url: 'https://a.example/b.png' } },
  sendTemplateMessage: {
    template_message: {
      omni_template: { template_id: 't', version: '1', language_code: 'en' },
    },
  },
  send: { text_message: { text: 'Hi' } },
};

async function driveMessages(ids) {
  const recipients = [{ contact_id: ids.contact }, { identified_by: { channel_identities: sms } }];
  let sent;
  for (const [method, message] of Object.entries(messages)) {
    for (const recipient of recipients) {
      const body = { app_id: ids.app, message, recipient, ttl: 60 };
      sent = await call('messages', method, { sendMessageRequestBody: body });
    }
  }
  const message_id = sent.message_id;
  const found = await call('messages', 'get', { message_id });
  await call('messages', 'list', { page_size: 5, app_id: ids.app, start_time: past });
  await call('messages', 'listLastMessagesByChannelIdentity', {
    listLastMessagesByChannelIdentityRequestBody: { channel_identities: ['+46700000001'] },
  });
  await call('messages', 'update', {
    message_id,
    updateMessageRequestBody: { metadata: 'changed' },
  });
  await call('messages', 'delete', { message_id });
  return found.conversation_id;
}

async function driveEvents(ids) {
  const events = {
    send: { composing_event: {} },
    sendEvent: { composing_event: {} },
    sendComposingEvent: { composing_event: {} },
    sendComposingEndEvent: { composing_end_event: {} },
    sendCommentReplyEvent: { comment_reply_event: { text: 'Thanks' } },
    sendAgentJoinedEvent: { agent_joined_event: { agent: { display_name: 'A', type: 'HUMAN' } } },
    sendAgentLeftEvent: { agent_left_event: { agent: { display_name: 'A', type: 'BOT' } } },
    sendGenericEvent: { generic_event: { payload: { a: 1 } } },
  };
  let sent;
  for (const [method, event] of Object.entries(events)) {
    const body = { app_id: ids.app, event, recipient: { contact_id: ids.contact } };
    sent = await call('events', method, { sendEventRequestBody: body });
  }
  await call('events', 'get', { event_id: sent.event_id });
  await call('events', 'list', { contact_id: ids.contact, page_size: 3 });
  await call('events', 'delete', { event_id: sent.event_id });
}

async function driveConversations(ids, conversation_id) {
  const made = await call('conversation', 'create', {
    createConversationRequestBody: {
      app_id: ids.other,
      contact_id: ids.contact,
      active: true,
      active_channel: 'SMS',
      metadata_json: { prop1: 'value1' },
    },
  });
  await call('conversation', 'get', { conversation_id: made.id });
  await call('conversation', 'list', { app_id: ids.app, page_size: 1 });
  await call('conversation', 'listRecent', { app_id: ids.app, page_size: 1 });
  await call('conversation', 'injectMessage', {
    conversation_id,
    injectMessageRequestBody: {
      app_message: { text_message: { text: 'Injected' } },
      accept_time: past,
      direction: 'TO_CONTACT',
      contact_id: ids.contact,
      channel_identity: { ...sms[0], app_id: '' },
    },
  });
  await call('conversation', 'injectEvent', {
    conversation_id,
    injectConversationEventRequestBody: {
      app_event: { composing_event: {} },
      accept_time: past,
    },
  });
  await call('conversation', 'update', {
    conversation_id: made.id,
    updateConversationRequestBody: { active: false, app_id: ids.app, correlation_id: 'c' },
  });
  await call('conversation', 'stopActive', { conversation_id });
  await call('conversation', 'delete', { conversation_id: made.id });
}

async function driveRest(ids) {
  const lookUp = { app_id: ids.app, recipient: { contact_id: ids.contact } };
  await call('capability', 'lookup', { lookupCapabilityRequestBody: lookUp });
  await call('transcoding', 'transcodeMessage', {
    transcodeMessageRequestBody: {
      app_id: ids.app,
      app_message: messages.send,
      channels: ['SMS', 'WHATSAPP'],
    },
  });
  const settings = { contact_settings: { unified_contact_id_enabled: false } };
  await call('projectSettings', 'create', { createProjectSettingsRequestBody: settings });
  await call('projectSettings', 'get', {});
  await call('projectSettings', 'update', { updateProjectSettingsRequestBody: settings });
  await call('projectSettings', 'delete', {});
  await call('consents', 'listIdentities', { app_id: ids.app, list_type: 'OPT_OUT_ALL' });
  await call('consents', 'listAuditRecords', { app_id: ids.app, identity: '46700000003' });
}

async function driveWebhooks(ids) {
  const body = {
    app_id: ids.app,
    target: 'http://127.0.0.1:9/capability',
    triggers: ['CAPABILITY'],
    secret: 's',
    target_type: 'HTTP',
  };
  const hook = await call('webhooks', 'create', { webhookCreateRequestBody: body });
  await call('webhooks', 'get', { webhook_id: hook.id });
  await call('webhooks', 'list', { app_id: ids.app });
  await call('webhooks', 'update', {
    webhook_id: hook.id,
    webhookUpdateRequestBody: { app_id: ids.other, target: 'http://127.0.0.1:9/moved' },
  });
  await call('webhooks', 'delete', { webhook_id: hook.id });
}

async function driveTemplates() {
  const translation = {
    language_code: 'en-US',
    version: '3',
    text_message: { text: 'Hello ${name}' },
    variables: [{ key: 'name', preview_value: 'Ada' }],
  };
  const body = { default_translation: 'en-US', description: 'A', translations: [translation] };
  const made = await call('templatesV2', 'create', { createTemplateRequestBody: body });
  const template_id = made.id;
  await call('templatesV2', 'list', {});
  await call('templatesV2', 'get', { template_id });
  await call('templatesV2', 'listTranslations', { template_id });
  await call('templatesV2', 'update', {
    template_id,
    updateTemplateRequestBody: { ...body, description: 'B', version: 1 },
  });
  await call('templatesV2', 'delete', { template_id });
}

const ids = await driveApps();
ids.contact = await driveContacts(ids);
const conversationId = await driveMessages(ids);
await driveEvents(ids);
await driveConversations(ids, conversationId);
await driveRest(ids);
await driveWebhooks(ids);
await driveTemplates();

const called = new Set(calls.map(([name]) => name));
const hidden = /^(constructor|getSinchClient|sendMessage|performSendMessageRequestBodyTransformation)$/;
const leftOut = Object.keys(conversation)
  .filter((part) => conversation[part]?.getSinchClient)
  .flatMap((part) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(conversation[part])).map((m) => [part, m]),
  )
  .filter(([part, method]) => !hidden.test(method) && !called.has(`${part}.${method}`))
  .map(([part, method]) => `${part}.${method}`);
const manifest = join(process.cwd(), 'node_modules/@sinch/conversation/package.json');
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
process.stdout.write(`\n${JSON.stringify({ version, calls, left_out: leftOut })}`);
