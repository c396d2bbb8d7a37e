//! The shop: its touchpoints, its attributes, and how customers move between touchpoints.

/// The stages a customer goes through, each with its touchpoints; what a map of this shop would draw.
///
/// Touchpoints are numbered in this order throughout.
pub const STAGES: [(&str, &[&str]); 6] = [
    (
        "discover",
        &["ad_click", "email_open", "promo_page", "newsletter", "home"],
    ),
    (
        "explore",
        &[
            "search",
            "category",
            "product_view",
            "compare",
            "wishlist",
            "store_locator",
        ],
    ),
    (
        "decide",
        &["reviews", "size_guide", "add_to_cart", "cart", "coupon"],
    ),
    (
        "order",
        &["login", "register", "checkout", "shipping_details"],
    ),
    ("pay", &["payment", "payment_error", "purchase"]),
    (
        "care",
        &[
            "order_tracking",
            "delivery",
            "return_request",
            "refund",
            "support_chat",
            "help",
            "account",
        ],
    ),
];

macro_rules! touchpoints {
    ($($constant:ident = $name:literal),* $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($constant),* }
        $(pub(super) const $constant: u16 = Number::$constant as u16;)*
        /// Every touchpoint of the shop, in the order of [`STAGES`].
        pub const TOUCHPOINTS: &[&str] = &[$($name),*];
    };
}

touchpoints! {
    AD_CLICK = "ad_click",
    EMAIL_OPEN = "email_open",
    PROMO_PAGE = "promo_page",
    NEWSLETTER = "newsletter",
    HOME = "home",
    SEARCH = "search",
    CATEGORY = "category",
    PRODUCT_VIEW = "product_view",
    COMPARE = "compare",
    WISHLIST = "wishlist",
    STORE_LOCATOR = "store_locator",
    REVIEWS = "reviews",
    SIZE_GUIDE = "size_guide",
    ADD_TO_CART = "add_to_cart",
    CART = "cart",
    COUPON = "coupon",
    LOGIN = "login",
    REGISTER = "register",
    CHECKOUT = "checkout",
    SHIPPING_DETAILS = "shipping_details",
    PAYMENT = "payment",
    PAYMENT_ERROR = "payment_error",
    PURCHASE = "purchase",
    ORDER_TRACKING = "order_tracking",
    DELIVERY = "delivery",
    RETURN_REQUEST = "return_request",
    REFUND = "refund",
    SUPPORT_CHAT = "support_chat",
    HELP = "help",
    ACCOUNT = "account",
}

/// Devices and their shares of customers.
pub(super) const DEVICES: [(&str, f64); 4] = [
    ("desktop", 0.34),
    ("mobile_ios", 0.28),
    ("mobile_android", 0.30),
    ("tablet", 0.08),
];

/// Plans, their shares of customers, and how their purchase rates stand to the first.
pub(super) const PLANS: [(&str, f64, f64); 3] = [
    ("free", 0.45, 1.0),
    ("plus", 0.25, 2.0),
    ("premium", 0.30, 4.0),
];

/// Campaign variants.
pub(super) const CAMPAIGNS: [&str; 2] = ["a", "b"];

/// The random halves without any effect.
pub(super) const AB: [&str; 2] = ["control", "treatment"];

/// Regions and their weights.
pub(super) const REGIONS: [(&str, f64); 20] = [
    ("DE", 20.0),
    ("FR", 16.0),
    ("IT", 13.0),
    ("ES", 11.0),
    ("PL", 8.0),
    ("NL", 6.0),
    ("BE", 4.0),
    ("SE", 3.5),
    ("AT", 3.0),
    ("CZ", 2.6),
    ("PT", 2.4),
    ("GR", 2.0),
    ("DK", 1.8),
    ("FI", 1.5),
    ("IE", 1.4),
    ("RO", 1.2),
    ("HU", 1.0),
    ("SK", 0.7),
    ("HR", 0.5),
    ("LU", 0.4),
];

/// Channels: name, weight among sessions, and the touchpoints a session through it starts with.
pub(super) const CHANNELS: [(&str, f64, Moves); 12] = [
    (
        "direct",
        20.0,
        &[(HOME, 70), (CATEGORY, 10), (PRODUCT_VIEW, 10), (LOGIN, 10)],
    ),
    (
        "organic_search",
        19.0,
        &[(PRODUCT_VIEW, 45), (CATEGORY, 35), (HOME, 20)],
    ),
    ("paid_search", 12.0, &[(AD_CLICK, 60), (PRODUCT_VIEW, 40)]),
    ("email", 9.0, &[(EMAIL_OPEN, 85), (PROMO_PAGE, 15)]),
    (
        "referral",
        9.0,
        &[(PRODUCT_VIEW, 50), (HOME, 30), (CATEGORY, 20)],
    ),
    ("paid_social", 8.0, &[(AD_CLICK, 75), (PROMO_PAGE, 25)]),
    (
        "organic_social",
        6.0,
        &[(PRODUCT_VIEW, 50), (PROMO_PAGE, 25), (HOME, 25)],
    ),
    ("affiliate", 5.0, &[(PRODUCT_VIEW, 60), (PROMO_PAGE, 40)]),
    ("app_push", 4.0, &[(PROMO_PAGE, 60), (PRODUCT_VIEW, 40)]),
    ("display", 4.0, &[(AD_CLICK, 100)]),
    ("sms", 2.0, &[(PROMO_PAGE, 80), (HOME, 20)]),
    ("store_qr", 2.0, &[(STORE_LOCATOR, 40), (PRODUCT_VIEW, 60)]),
];

/// Where to go next, with weights.
pub(super) type Moves = &'static [(u16, u16)];

/// From each touchpoint where to go next.
pub(super) type Kernel = &'static [(u16, Moves)];

/// A visitor who looks around, perhaps as far as the delivery costs, and does not pay.
pub(super) const BROWSE: Kernel = &[
    (
        AD_CLICK,
        &[
            (PRODUCT_VIEW, 45),
            (PROMO_PAGE, 30),
            (CATEGORY, 15),
            (HOME, 10),
        ],
    ),
    (
        EMAIL_OPEN,
        &[(PROMO_PAGE, 45), (PRODUCT_VIEW, 35), (HOME, 20)],
    ),
    (
        PROMO_PAGE,
        &[(PRODUCT_VIEW, 45), (CATEGORY, 40), (HOME, 15)],
    ),
    (NEWSLETTER, &[(HOME, 50), (CATEGORY, 50)]),
    (
        HOME,
        &[
            (CATEGORY, 34),
            (SEARCH, 26),
            (PROMO_PAGE, 12),
            (PRODUCT_VIEW, 12),
            (LOGIN, 6),
            (ACCOUNT, 3),
            (NEWSLETTER, 2),
            (HELP, 2),
            (STORE_LOCATOR, 3),
        ],
    ),
    (
        SEARCH,
        &[
            (PRODUCT_VIEW, 52),
            (SEARCH, 22),
            (CATEGORY, 14),
            (COMPARE, 4),
            (HOME, 8),
        ],
    ),
    (
        CATEGORY,
        &[
            (PRODUCT_VIEW, 58),
            (CATEGORY, 16),
            (SEARCH, 12),
            (HOME, 8),
            (PROMO_PAGE, 6),
        ],
    ),
    (
        PRODUCT_VIEW,
        &[
            (PRODUCT_VIEW, 26),
            (REVIEWS, 17),
            (CATEGORY, 16),
            (SEARCH, 11),
            (SIZE_GUIDE, 10),
            (ADD_TO_CART, 9),
            (WISHLIST, 4),
            (COMPARE, 4),
            (HOME, 3),
        ],
    ),
    (COMPARE, &[(PRODUCT_VIEW, 70), (SEARCH, 15), (CATEGORY, 15)]),
    (
        WISHLIST,
        &[
            (PRODUCT_VIEW, 55),
            (CATEGORY, 20),
            (WISHLIST, 10),
            (HOME, 10),
            (ADD_TO_CART, 5),
        ],
    ),
    (STORE_LOCATOR, &[(HOME, 60), (CATEGORY, 40)]),
    (
        REVIEWS,
        &[
            (PRODUCT_VIEW, 60),
            (CATEGORY, 14),
            (REVIEWS, 8),
            (SEARCH, 8),
            (ADD_TO_CART, 6),
            (COMPARE, 4),
        ],
    ),
    (
        SIZE_GUIDE,
        &[
            (PRODUCT_VIEW, 76),
            (ADD_TO_CART, 8),
            (CATEGORY, 10),
            (SUPPORT_CHAT, 2),
            (HELP, 4),
        ],
    ),
    (
        ADD_TO_CART,
        &[(CART, 45), (PRODUCT_VIEW, 35), (CATEGORY, 20)],
    ),
    (
        CART,
        &[
            (CATEGORY, 28),
            (PRODUCT_VIEW, 26),
            (CHECKOUT, 16),
            (COUPON, 10),
            (WISHLIST, 10),
            (HOME, 10),
        ],
    ),
    (COUPON, &[(CART, 70), (PROMO_PAGE, 30)]),
    (LOGIN, &[(ACCOUNT, 40), (CATEGORY, 40), (HOME, 20)]),
    (REGISTER, &[(ACCOUNT, 50), (NEWSLETTER, 30), (HOME, 20)]),
    (
        CHECKOUT,
        &[
            (SHIPPING_DETAILS, 48),
            (CART, 30),
            (LOGIN, 6),
            (REGISTER, 4),
            (HOME, 12),
        ],
    ),
    (SHIPPING_DETAILS, &[(CART, 55), (CATEGORY, 25), (HOME, 20)]),
    (SUPPORT_CHAT, &[(HOME, 40), (HELP, 30), (PRODUCT_VIEW, 30)]),
    (HELP, &[(CATEGORY, 40), (HOME, 35), (SUPPORT_CHAT, 25)]),
    (ACCOUNT, &[(WISHLIST, 30), (CATEGORY, 40), (HOME, 30)]),
];

/// A visitor who has decided to buy, up to the payment.
pub(super) const BUY: Kernel = &[
    (
        PRODUCT_VIEW,
        &[
            (ADD_TO_CART, 56),
            (REVIEWS, 16),
            (SIZE_GUIDE, 12),
            (PRODUCT_VIEW, 12),
            (COMPARE, 4),
        ],
    ),
    (REVIEWS, &[(PRODUCT_VIEW, 60), (ADD_TO_CART, 40)]),
    (SIZE_GUIDE, &[(PRODUCT_VIEW, 55), (ADD_TO_CART, 45)]),
    (ADD_TO_CART, &[(CART, 76), (PRODUCT_VIEW, 24)]),
    (CART, &[(CHECKOUT, 78), (COUPON, 12), (PRODUCT_VIEW, 10)]),
    (COUPON, &[(CART, 100)]),
    (
        CHECKOUT,
        &[(SHIPPING_DETAILS, 62), (LOGIN, 26), (REGISTER, 12)],
    ),
    (LOGIN, &[(SHIPPING_DETAILS, 100)]),
    (REGISTER, &[(SHIPPING_DETAILS, 100)]),
    (SHIPPING_DETAILS, &[(PAYMENT, 100)]),
];

/// A customer who waits for an order or has trouble with it.
pub(super) const CARE: Kernel = &[
    (
        ORDER_TRACKING,
        &[
            (DELIVERY, 35),
            (ORDER_TRACKING, 30),
            (HOME, 13),
            (SUPPORT_CHAT, 12),
            (ACCOUNT, 10),
        ],
    ),
    (
        DELIVERY,
        &[
            (HOME, 40),
            (ORDER_TRACKING, 18),
            (ACCOUNT, 16),
            (RETURN_REQUEST, 14),
            (NEWSLETTER, 12),
        ],
    ),
    (
        RETURN_REQUEST,
        &[(REFUND, 45), (ORDER_TRACKING, 30), (SUPPORT_CHAT, 25)],
    ),
    (REFUND, &[(HOME, 60), (ACCOUNT, 40)]),
    (
        SUPPORT_CHAT,
        &[(ORDER_TRACKING, 40), (HELP, 30), (ACCOUNT, 30)],
    ),
    (
        HELP,
        &[(SUPPORT_CHAT, 40), (ORDER_TRACKING, 30), (HOME, 30)],
    ),
    (ACCOUNT, &[(ORDER_TRACKING, 50), (HOME, 50)]),
    (
        PURCHASE,
        &[(ORDER_TRACKING, 45), (ACCOUNT, 30), (NEWSLETTER, 25)],
    ),
];

/// How a customer with an open order starts a session about it.
pub(super) const CARE_ENTRIES: Moves = &[
    (ORDER_TRACKING, 50),
    (DELIVERY, 35),
    (SUPPORT_CHAT, 8),
    (ACCOUNT, 5),
    (HELP, 2),
];

/// How much of each hour's and each weekday's (from Monday) visits there are, in UTC.
pub(super) const HOURS: [f64; 24] = [
    12.0, 7.0, 5.0, 4.0, 4.0, 7.0, 15.0, 26.0, 36.0, 42.0, 46.0, 48.0, 50.0, 48.0, 46.0, 47.0,
    50.0, 56.0, 64.0, 72.0, 74.0, 62.0, 42.0, 24.0,
];
pub(super) const WEEKDAYS: [f64; 7] = [1.0, 0.96, 0.94, 0.96, 1.0, 1.12, 1.2];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_list_the_touchpoints_in_order() {
        let staged: Vec<&str> = STAGES
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        assert_eq!(staged, TOUCHPOINTS);
    }

    #[test]
    fn nobody_pays_by_browsing() {
        for kernel in [BROWSE, CARE] {
            for (_, moves) in kernel {
                assert!(
                    moves
                        .iter()
                        .all(|(to, _)| ![PAYMENT, PAYMENT_ERROR, PURCHASE].contains(to))
                );
            }
        }
    }
}
