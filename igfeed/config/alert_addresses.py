"""Checks the addresses of IGFEED_ALERTS.

Apprise could check them, but importing it takes longer than the rest of a cold start.
"""

import re

_SCHEMES = """
46elks acs amqp amqps apprise apprises aprs atalk awswhatsapp azure bale bark barks betterstack blink1 bluesky brevo
bsky bulksms bulkvs burstsms chanify clickatell clicksend cliq cm d7sms dapnet dbus deltachat deltachats dingtalk
discord dot eight00com elks emby embys enigma2 enigma2s evolution evolutions exotel fcm feishu firehydrant flock
flowtriq flowtriqs fluxer fluxers form forms freemobile gchat gio github glib gnome goalert goalerts gorush gorushs
gotify gotifys groundmail groupme growl guilded gupshup hassio hassios httpsms humhub humhubs ifttt ilert incidentio
infobip instagram irc ircs jellyfin jellyfins jira join json jsons kakao kakaotalk kaleyra kavenegar kde klr kodi
kodis kook kudosity kumulos lametric lametrics lark lauther lfg line macosx mailersend mailgun mailto mailtos
mastodon mastodons matrix matrixs misskey misskeys mmost mmosts mobilemessage mobilemsg mqtt mqtts msg91 msgbird
ncloud nclouds nctalk nctalks nexmo nostr notica noticas notifiarr notifico notificos notifyapp notifyre ntfy ntfys
o365 octopush onebot onebots onesignal opsgenie opsimate opsimates pagerduty pagertree parsep parseps pbul pinglet
pinglets pingram pjet pjets plivo postmark pover prowl psafer psafers push pushdeer pushdeers pushed pushme pushplus
pushward pushy qq qt reddit resend revolt ringc rocket rockets rsyslog ryver schan sendgrid sendpulse serwersms ses
session sessions seven sfr signal signalgrid signals signl4 simplepush sinch slack smpp smpps smsc smseagle
smseagles smsmanager smsmgr smstunnel smtp2go sns sogs sparkpost spike splunk spugpush spush squadcast stackfield
strmlabs synology synologys syslog telesign telnyx tgram threema toot toots trigv trigvs tweet twilio twist twitter
vapid viber victorops voipms vonage webex wechat wecom wecombot whapi whatsapp windows workflow workflows wpush
wxpusher wxteams x xbmc xbmcs xmatters xml xmls xmpp xmpps youlmk zalo zcliq zohocliq zoom zulip
"""
SCHEMES = frozenset(_SCHEMES.split())
"""The schemes before ``://`` that Apprise 2.3.0 knows. A test compares them with Apprise's own."""

WEBHOOK = re.compile(
    r"https://(hooks\.(?P<slack>slack)(-gov)?\.com/(services|workflows|triggers)|"
    r"(?P<discord>discord)(app)?\.com/api/webhooks)/[\w/-]+(\?\S*)?",
    re.ASCII,
)
"""The address of a webhook, as Slack and Discord show it. Apprise accepts it as it is."""


def is_alert_address(text: str) -> bool:
    """Whether it is a webhook of Slack or Discord, or has one of SCHEMES and something after it."""
    scheme, separator, rest = text.partition("://")
    is_of_apprise = scheme.lower() in SCHEMES and bool(separator) and re.search(r"\w", rest) is not None
    return text.isprintable() and (is_of_apprise or WEBHOOK.fullmatch(text) is not None)


def kind_of(address: str) -> str:
    """A word such as ``mailto`` or ``slack``. Nothing more may be shown: in most addresses the rest is a secret."""
    webhook = WEBHOOK.fullmatch(address)
    if webhook:
        return webhook["slack"] or webhook["discord"]
    return address.partition("://")[0].lower()
