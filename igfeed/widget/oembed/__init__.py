"""The feed as an oEmbed provider (https://oembed.com): a CMS shows it when somebody pastes the feed's address."""
