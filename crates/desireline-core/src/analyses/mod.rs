//! The analyses, one file each. The list that everything else follows is in [`crate::registry`].
