"""Commands for users: status, resume, verify, list_studies, check_profile, convert_cgcnn."""
