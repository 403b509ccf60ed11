// Names of emoji in both languages, by which they are found.

const LINES = `
😀 grin smile happy 笑 开心
😃 smile happy 笑 开心
😄 laugh smile happy 笑 开心
😁 beam grin teeth 露齿笑
😆 laugh squint 大笑
😅 sweat nervous laugh 尴尬 汗
🤣 rofl floor laugh 笑死 打滚
😂 joy tears laugh 笑哭
🙂 slight smile 微笑
🙃 upside down 倒脸 无奈
😉 wink 眨眼
😊 blush smile 害羞 微笑
😇 angel innocent 天使
🥰 love hearts 爱 喜欢
😍 love heart eyes 色 喜欢
🤩 star struck wow 惊艳
😘 kiss 亲亲 飞吻
😋 yum tasty tongue 好吃 馋
😜 wink tongue joke 调皮 吐舌
🤪 crazy zany 疯狂 搞怪
🤗 hug 拥抱
🤭 giggle oops 偷笑 捂嘴
🤫 quiet shush secret 嘘 安静
🤔 think hmm 思考 想
🤨 doubt eyebrow 怀疑
😐 neutral meh 面无表情
😏 smirk 得意 坏笑
😒 unamused annoyed 不爽 撇嘴
🙄 eye roll 白眼
😬 grimace awkward 尴尬 呲牙
😌 relieved calm 安心
😔 pensive sad 失落 难过
😴 sleep tired 睡 困
😷 mask sick 口罩 生病
🤒 fever sick ill 发烧 生病
🤧 sneeze cold sick 感冒 喷嚏
🥵 hot sweat 热
🥶 cold freezing 冷
😵 dizzy 晕
🤯 mind blown shock 爆炸 震惊
🥳 party celebrate 庆祝 派对
😎 cool sunglasses 酷 墨镜
🤓 nerd glasses 书呆子 眼镜
🧐 monocle inspect 观察
😕 confused 困惑
😟 worried 担心
😮 wow open mouth surprise 惊讶
😲 astonished shock 吃惊
😳 flushed embarrassed 脸红
🥺 please puppy eyes 可怜 求
😢 sad cry tear 难过 哭
😭 sob cry 大哭
😱 scream fear 害怕 惊恐
😤 huff triumph 生气 哼
😡 angry mad rage 生气 愤怒
🤬 curse swear angry 骂人
💀 skull dead 骷髅 死
💩 poop 便便 屎
🤡 clown 小丑
👻 ghost 鬼
👽 alien 外星人
🤖 robot bot 机器人
😺 cat smile 猫
🙈 monkey see no evil 猴 不看
🙉 monkey hear no evil 猴 不听
🙊 monkey speak no evil 猴 不说
❤️ heart love red 爱心 红心
🧡 heart orange 橙心
💛 heart yellow 黄心
💚 heart green 绿心
💙 heart blue 蓝心
💜 heart purple 紫心
🖤 heart black 黑心
💔 broken heart 心碎
💯 hundred perfect 满分 一百
💢 anger 怒
💥 boom bang 爆炸
💫 dizzy star 眩晕
💦 sweat drops water 水滴 汗
💤 sleep zzz 睡
👋 wave hello bye 挥手 你好 再见
✋ hand stop high five 手 停
👌 ok okay 好的
✌️ victory peace two 胜利 耶
🤞 fingers crossed luck 祈祷 好运
🤟 love you hand 爱你
🤙 call me hang loose 打电话
👈 left point 左
👉 right point 右
👆 up point 上
👇 down point 下
👍 thumbs up yes good like 赞 好
👎 thumbs down no bad 踩 差
✊ fist 拳头
👊 punch fist bump 拳 碰拳
👏 clap applause bravo 鼓掌
🙌 hooray raise hands 欢呼
🤝 handshake deal 握手 合作
🙏 thanks please pray 谢谢 拜托 祈祷
💪 strong muscle 加油 强壮
👀 eyes look 看 眼睛
🌹 rose flower 玫瑰 花
🌸 cherry blossom flower 樱花 花
🌞 sun 太阳
🌙 moon night 月亮 晚安
⭐ star 星
⚡ lightning fast 闪电
🔥 fire hot lit 火
🌈 rainbow 彩虹
☔ rain umbrella 雨 伞
❄️ snow cold winter 雪
🍎 apple 苹果
🍉 watermelon 西瓜 吃瓜
🍓 strawberry 草莓
🍕 pizza 披萨
🍔 burger 汉堡
🍜 noodles ramen 面
🍚 rice 米饭
🍰 cake 蛋糕
🍺 beer 啤酒
🍵 tea 茶
☕ coffee 咖啡
🎂 birthday cake 生日 蛋糕
🎉 party tada celebrate 庆祝 撒花
🎁 gift present 礼物
🎈 balloon 气球
🏆 trophy win 奖杯 冠军
⚽ football soccer 足球
🏀 basketball 篮球
🎮 game 游戏
🎵 music note 音乐
🚗 car 车
✈️ plane flight travel 飞机 旅行
🏠 house home 家
💻 computer laptop 电脑
📱 phone mobile 手机
📷 camera photo 相机 照片
💡 idea light bulb 主意 灯泡
📌 pin 图钉
📎 paperclip attach 回形针
📝 memo note write 笔记
💰 money 钱
🔒 lock secure 锁
⏰ alarm clock time 闹钟 时间
✅ check done yes 完成 对
❌ cross no wrong 错 不
❓ question 问号 疑问
❗ exclamation 感叹号
➕ plus add 加
🆗 ok 好
`;

/** The names of each emoji, the first one in English. @type {Record<string, string>} */
export const names = Object.fromEntries(LINES.trim().split('\n').map((line) => {
  const [emoji = '', ...words] = line.split(' ');
  return [emoji, words.join(' ')];
}));
