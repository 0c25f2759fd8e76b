def install_req_from_parsed_requirement(requirement, **options):
    return requirement
