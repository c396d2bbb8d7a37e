//! What a map rests on, and what is only assumed.

use super::part::{part, words};
use super::{Date, Id, LocalizedText};
use crate::time::TimeSpan;

part! {
    /// Something that parts of the map rest on. It grows old: without `expires_at`, a review later than it was collected.
    pub struct Evidence {
        /// Its id.
        id: Id,
        /// How strong it is.
        tier: Tier,
        /// What kind of source.
        kind: SourceKind,
        /// What it says.
        text ? LocalizedText,
        /// Where it is kept: a file, a page, a ticket.
        link ? String,
        /// The time it is about.
        period ? super::Window,
        /// When it was collected.
        collected_at ? Date,
        /// When it no longer counts.
        expires_at ? Date,
        /// From how many people or cases.
        n ? u64,
        /// Whose clock its times follow.
        clock ? String,
        /// Which ids its customers have.
        id_space ? String,
        /// Who brought it.
        contributed_by * Id,
        + own
    }
}

impl Evidence {
    /// The last day on which it counts, given how often the map is reviewed; `None` where that is not known.
    pub fn expires(&self, review_every: TimeSpan) -> Option<Date> {
        self.expires_at
            .or_else(|| self.collected_at.map(|day| day.after(review_every)))
    }
}

words! {
    /// How strong evidence is, the weakest first.
    pub enum Tier {
        /// Nobody has looked.
        Assumption = "assumption",
        /// People of the company say so.
        Internal = "internal",
        /// Seen in data or with customers.
        Observed = "observed",
        /// Tested.
        Validated = "validated",
    }
}

words! {
    /// Kinds of sources.
    pub enum SourceKind {
        /// An event log.
        EventLog = "event_log",
        /// Web or app analytics.
        WebAnalytics = "web_analytics",
        /// Customer records.
        Crm = "crm",
        /// Mail.
        Email = "email",
        /// Marketing automation.
        MarketingAutomation = "marketing_automation",
        /// Talks of sales people.
        SalesTalk = "sales_talk",
        /// Social networks.
        Social = "social",
        /// Messages and chats.
        Messaging = "messaging",
        /// A survey.
        Survey = "survey",
        /// Interviews.
        Interview = "interview",
        /// Video of people at work.
        Video = "video",
        /// Records of telephone calls.
        CallRecord = "call_record",
        /// Tickets of support.
        SupportTicket = "support_ticket",
        /// Reviews on public sites.
        PublicReview = "public_review",
        /// A workshop.
        Workshop = "workshop",
        /// An experiment.
        Experiment = "experiment",
        /// Somebody else's research.
        DeskResearch = "desk_research",
        /// Any other.
        Other = "other",
    }
}

part! {
    /// Something that is taken for true and has not been tested.
    pub struct Assumption {
        /// Its id.
        id: Id,
        /// What is assumed.
        text: LocalizedText,
        /// Who answers for testing it.
        owner ? Id,
        /// How it can be tested.
        test ? LocalizedText,
        /// Until when it should be.
        due ? Date,
        /// The parts of the map that rest on it.
        about * Id,
        + own
    }
}
