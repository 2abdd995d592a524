/**
 * What the page says, in Chinese and English, and which of the two it speaks now.
 * @module
 */

import { recall, remember } from './memory.js';

/** @typedef {'zh' | 'en'} Language */

/** @type {Record<string, [string, string]>} key → Chinese, English */
const WORDS = {
  'page.title': ['钉钉模拟器', 'DingTalk simulator'],
  'skip': ['跳到输入框', 'Skip to the message box'],
  'pages': ['打开应用的网页', 'Open the pages of the app'],
  'pages.short': ['网页', 'Pages'],
  'people.label': ['切换人员', 'Switch person'],
  'people.external': ['外部', 'External'],
  'conversations.label': ['会话', 'Conversations'],
  'conversations.empty': ['此人不在任何会话中', 'This person is in no conversation'],
  'conversations.none': ['还没有消息', 'No messages yet'],
  'conversations.unread': ['{n} 条未读', '{n} unread'],
  'conversations.card': ['[卡片] {title}', '[Card] {title}'],
  'conversations.picture': ['[图片]', '[Picture]'],
  'conversations.file': ['[文件] {name}', '[File] {name}'],
  'kind.direct': ['单聊', 'Direct'],
  'chat.label': ['聊天', 'Chat'],
  'chat.log': ['消息记录', 'Messages'],
  'chat.members': ['{n} 人', '{n} members'],
  'chat.back': ['返回', 'Back'],
  'chat.earlier': ['查看更早的消息', 'Show earlier messages'],
  'chat.empty': ['还没有消息。试试 /help', 'No messages yet. Try /help'],
  'chat.new': ['有新消息', 'New messages'],
  'chat.yesterday': ['昨天', 'Yesterday'],
  'chat.recalled': ['消息已撤回', 'Message recalled'],
  'chat.pinned': ['吊顶', 'Pinned'],
  'chat.picture': ['图片', 'Picture'],
  'panel.toggle': ['调试面板', 'Inspector'],
  'panel.label': ['调试面板', 'Inspector'],
  'bot.online': ['机器人已连接', 'Bot connected'],
  'bot.online.many': ['机器人已连接（{n} 条连接）', 'Bot connected ({n} connections)'],
  'bot.offline': ['机器人未连接', 'Bot not connected'],
  'bot.offline.help': ['启动机器人并让它连接到这里：', 'Start the bot and point it here:'],
  'bot.offline.note': ['连接前发出的消息由模拟器保管，连上后推送。', 'Messages sent before wait here and are pushed once it connects.'],
  'composer.input': ['输入消息', 'Message'],
  'composer.hint': ['输入 / 查看命令，Enter 发送，Shift+Enter 换行', 'Type / for commands, Enter sends, Shift+Enter breaks the line'],
  'composer.hint.short': ['输入 / 查看命令', 'Type / for commands'],
  'composer.at': ['@{name}：点按切换是否提及机器人', '@{name}: toggle mentioning the bot'],
  'composer.picture': ['发送图片', 'Send a picture'],
  'composer.send': ['发送', 'Send'],
  'composer.remove': ['移除 {name}', 'Remove {name}'],
  'composer.menu': ['补全', 'Completions'],
  'composer.drop': ['松开即可添加图片', 'Drop the picture here'],
  'composer.big': ['文件超过 20 MB，不能发送。', 'Files over 20 MB cannot be sent.'],
  'card.private': ['仅你可见', 'Only you see this'],
  'card.working': ['处理中', 'Working'],
  'card.newTab': ['在新标签页打开', 'Opens in a new tab'],
  'click.failed': ['操作失败，请稍后重试', 'That did not work. Please try again.'],
  'tab.timeline': ['时间线', 'Timeline'],
  'tab.todos': ['待办', 'To-dos'],
  'tab.tables': ['AI 表格', 'AI tables'],
  'tab.faults': ['故障', 'Faults'],
  'quota.label': ['API 额度', 'API quota'],
  'quota.of': ['{used} / {limit}', '{used} / {limit}'],
  'quota.unlimited': ['{used}（不限）', '{used} (no limit)'],
  'timeline.filter': ['筛选名称或内容', 'Filter by name or text'],
  'timeline.empty': ['还没有任何帧或调用', 'No frames or calls yet'],
  'timeline.nomatch': ['没有符合筛选条件的记录', 'Nothing matches the filter'],
  'timeline.clear': ['清空', 'Clear'],
  'timeline.kinds': ['类型', 'Kinds'],
  'direction.push': ['推送', 'Push'],
  'direction.ack': ['应答', 'Ack'],
  'direction.call': ['调用', 'Call'],
  'direction.note': ['备注', 'Note'],
  'direction.errors': ['仅错误', 'Errors'],
  'todos.empty': ['没有待办', 'No to-dos'],
  'todos.open': ['{n} 项待办', '{n} open to-dos'],
  'tables.empty': ['没有共享表格', 'No shared tables'],
  'todos.due': ['截止 {time}', 'Due {time}'],
  'faults.intro': ['打开开关，让模拟的钉钉出错。', 'Switch on a fault to make the simulated DingTalk misbehave.'],
  'faults.settings': ['设置', 'Settings'],
  'faults.active': ['{n} 个故障已打开', '{n} faults on'],
  'faults.rate': ['发生概率', 'Probability'],
  'faults.count': ['剩余次数（空 = 不限）', 'Times left (empty = no end)'],
  'faults.delayMs': ['延迟（毫秒）', 'Delay (ms)'],
  'faults.api': ['仅限接口（路径片段）', 'Only for calls containing'],
  'admin.title': ['管理员操作', 'Administrator'],
  'admin.expire': ['让令牌过期', 'Expire tokens'],
  'admin.expired': ['令牌已过期', 'Tokens expired'],
  'admin.drop': ['断开机器人连接', 'Drop connections'],
  'admin.dropped': ['连接已断开', 'Connections dropped'],
  'admin.reset': ['重置模拟器', 'Reset the simulator'],
  'admin.reset.ask': ['清空全部消息、卡片、额度和故障开关？机器人连接会保留。', 'Clear all messages, cards, quota and faults? Bot connections stay.'],
  'admin.reset.yes': ['重置', 'Reset'],
  'admin.reset.done': ['已重置', 'Reset done'],
  'cancel': ['取消', 'Cancel'],
  'close': ['关闭', 'Close'],
  'language': ['切换到英文', 'Switch to Chinese'],
  'language.short': ['EN', '中文'],
  'link.lost': ['与模拟器的连接断开，{n} 秒后重连…', 'Lost the simulator; trying again in {n} s…'],
  'link.trying': ['正在重新连接模拟器…', 'Reconnecting to the simulator…'],
  'link.retry': ['立即重试', 'Retry now'],
  'error.offline': ['连不上模拟器，请确认它正在运行。', 'The simulator does not answer. Is it running?'],
  'error.timeout': ['模拟器没有及时回应。', 'The simulator took too long to answer.'],
  'error.refused': ['模拟器拒绝了请求：{detail}', 'The simulator refused: {detail}'],
  'error.page': ['页面出错：{detail}', 'The page failed: {detail}'],
  'command.stock': ['查库存', 'Stock of a product'],
  'command.order': ['查销售订单', 'Sales order'],
  'command.invoice': ['查发票', 'Invoice'],
  'command.po': ['查采购单', 'Purchase order'],
  'command.mo': ['查生产单', 'Production order'],
  'command.help': ['全部命令', 'All commands'],
  'command.whoami': ['我的身份与权限', 'Who am I, what may I do'],
  'command.learned': ['用过的命令', 'Used before'],
};

/** @type {Language} */
let language = recall('language', '') === 'en' ? 'en' : 'zh';

/** @returns {Language} */
export function currentLanguage() {
  return language;
}

/** @param {Language} next */
export function speak(next) {
  language = next;
  remember('language', next);
  document.documentElement.lang = next === 'en' ? 'en' : 'zh-CN';
}

/**
 * The words for a key, with `{name}` filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) return key;
  return pair[language === 'en' ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** Fill every `data-say` (text) and `data-say-label` (accessible name and tooltip) of the static page. */
export function sayStatic() {
  document.title = say('page.title');
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-say]'))) {
    node.textContent = say(node.dataset.say ?? '');
  }
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-say-label]'))) {
    node.setAttribute('aria-label', say(node.dataset.sayLabel ?? ''));
    if (node.tagName === 'BUTTON') node.title = say(node.dataset.sayLabel ?? '');
    if (node.tagName === 'INPUT') node.setAttribute('placeholder', say(node.dataset.sayLabel ?? ''));
  }
}
