//! Touchpoints and channels: where customer and company meet.

use super::part::{part, words};
use super::{Binding, Id, LocalizedText, StagePlace};

part! {
    /// A named way in which customer and company meet.
    pub struct Touchpoint {
        /// Its id.
        id: Id,
        /// Its name.
        name: LocalizedText,
        /// The stages it sits in.
        stages * StagePlace,
        /// The step it belongs to.
        step ? Id,
        /// Through which channel.
        channel ? Id,
        /// Who answers for it: a stakeholder.
        owner ? Id,
        /// Who begins.
        direction ? Direction,
        /// Whose medium it is.
        media ? Media,
        /// Whether it leaves traces; `observed` where nothing is said.
        observability ? Observability,
        /// The events that it is in a log.
        binding ? Binding,
        /// What happens there.
        description ? LocalizedText,
        /// Words to find it by.
        tags * String,
        /// Another map that shows it in detail: its id.
        submap ? Id,
        /// What is said of it rests on this.
        evidence * Id,
        + own
    }
}

impl Touchpoint {
    /// Whether it leaves traces.
    pub fn traces(&self) -> Observability {
        self.observability.unwrap_or(Observability::Observed)
    }

    /// Whether it sits in a stage.
    pub fn is_in(&self, stage: &Id) -> bool {
        self.stages.iter().any(|p| p.stage == *stage)
    }
}

words! {
    /// Who begins at a touchpoint.
    pub enum Direction {
        /// The customer.
        Inbound = "inbound",
        /// The company.
        Outbound = "outbound",
        /// Both talk.
        Mutual = "mutual",
    }
}

words! {
    /// Whose medium a touchpoint is.
    pub enum Media {
        /// Paid for: an advertisement.
        Paid = "paid",
        /// The company's own: its site, shop, mails.
        Owned = "owned",
        /// Others speak: a recommendation, a post.
        Earned = "earned",
        /// Out of the company's reach: a rival's site, a review portal.
        External = "external",
    }
}

words! {
    /// Whether a touchpoint leaves traces.
    pub enum Observability {
        /// Events show it; it needs a binding.
        Observed = "observed",
        /// Only customers can tell.
        SurveyOnly = "survey_only",
        /// Nothing shows it.
        Unobservable = "unobservable",
    }
}

part! {
    /// A way through which customer and company meet.
    pub struct Channel {
        /// Its id.
        id: Id,
        /// Its kind.
        kind: ChannelKind,
        /// Its name; the id where there is none.
        name ? LocalizedText,
        /// Whether it is online.
        online ? bool,
        /// What a log's channel column says for it; the id where nothing is listed.
        values * String,
        /// The table that holds what it costs.
        cost_source ? String,
        + own
    }
}

impl Channel {
    /// Whether a value of a log's channel column means this channel.
    pub fn is_called(&self, value: &str) -> bool {
        if self.values.is_empty() {
            self.id == value
        } else {
            self.values.iter().any(|v| v == value)
        }
    }
}

words! {
    /// Kinds of channels.
    pub enum ChannelKind {
        /// What people tell each other.
        WordOfMouth = "word_of_mouth",
        /// The company calls on people: advertisements, calls.
        Outbound = "outbound",
        /// People find the company: search, articles, referrals.
        Inbound = "inbound",
        /// Social networks.
        Social = "social",
        /// Help by people: telephone, chat, counter.
        Support = "support",
        /// Site or app.
        SiteApp = "site_app",
        /// Mails.
        Email = "email",
        /// What arrives: parcels, packaging, letters.
        Delivery = "delivery",
        /// A store, branch or stand.
        Store = "store",
        /// Any other.
        Other = "other",
    }
}

words! {
    /// Who comes to whom when a journey begins.
    pub enum EntryMode {
        /// The customer looks for something.
        Active = "active",
        /// The company, or chance, comes to the customer.
        Passive = "passive",
    }
}

impl ChannelKind {
    /// Who comes to whom through such a channel; `None` where that is not clear.
    pub fn entry_mode(self) -> Option<EntryMode> {
        match self {
            ChannelKind::Inbound
            | ChannelKind::Support
            | ChannelKind::SiteApp
            | ChannelKind::Store => Some(EntryMode::Active),
            ChannelKind::Outbound
            | ChannelKind::Social
            | ChannelKind::Email
            | ChannelKind::Delivery => Some(EntryMode::Passive),
            ChannelKind::WordOfMouth | ChannelKind::Other => None,
        }
    }
}
